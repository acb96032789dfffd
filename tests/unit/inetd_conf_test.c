#include "config/inetd_conf.h"

#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A line and the entry that means the same: its name, and its attributes without
 * operators, in the order of the table of attributes. */
static const struct {
	const char *line, *name, *attributes;
} lines[] = {
	{ "ftp stream tcp nowait root /bin/sh sh -l", "ftp",
	  "id ftp|flags NOLIBWRAP NAMEINARGS|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|server_args sh -l" },
	{ "ftp\tstream  tcp\tnowait\troot\t/bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "tftp dgram udp wait nobody /bin/sh sh", "tftp",
	  "id tftp|flags NOLIBWRAP NAMEINARGS|socket_type dgram|protocol udp|wait yes|user nobody|"
	  "groups yes|server /bin/sh|server_args sh" },
	{ "echo stream tcp nowait root internal", "echo",
	  "id echo-stream|type INTERNAL|socket_type stream|protocol tcp|wait no|user root|groups yes" },
	{ "echo dgram udp wait root internal ignored", "echo",
	  "id echo-dgram|type INTERNAL|socket_type dgram|protocol udp|wait yes|user root|groups yes" },
	{ "discard stream tcp nowait root INTERNAL", "discard",
	  "id discard-stream|type INTERNAL|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes" },
	{ "2000 stream tcp nowait root /bin/sh", "2000",
	  "id 2000|type UNLISTED|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|port 2000" },

	/* Families. */
	{ "ftp stream tcp4 nowait root /bin/sh", "ftp",
	  "id ftp|flags IPv4 NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "ftp stream tcp6 nowait root /bin/sh", "ftp",
	  "id ftp-ipv6|flags IPv6 NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|v6only yes" },
	{ "ftp stream tcp6only nowait root /bin/sh", "ftp",
	  "id ftp-ipv6|flags IPv6 NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|v6only yes" },
	{ "ftp stream TCP46 nowait root /bin/sh", "ftp",
	  "id ftp|flags IPv6 NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "daytime dgram udp6 wait root internal", "daytime",
	  "id daytime-dgram-ipv6|type INTERNAL|flags IPv6|socket_type dgram|protocol udp|wait yes|"
	  "user root|groups yes|v6only yes" },
	{ "daytime dgram udp4 wait root internal", "daytime",
	  "id daytime-dgram|type INTERNAL|flags IPv4|socket_type dgram|protocol udp|wait yes|"
	  "user root|groups yes" },
	{ "daytime dgram udp46 wait root internal", "daytime",
	  "id daytime-dgram|type INTERNAL|flags IPv6|socket_type dgram|protocol udp|wait yes|"
	  "user root|groups yes" },

	/* Addresses. */
	{ "127.0.0.1:ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|bind 127.0.0.1" },
	{ "localhost,[::1],10.0.0.1:ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|bind localhost ::1 10.0.0.1" },
	{ "::1:ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|bind ::1" },
	{ "*:ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "::1,*:ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ ":ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "::1: ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|bind ::1" },
	{ "[::1]:2000 stream tcp nowait root /bin/sh", "2000",
	  "id 2000|type UNLISTED|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|port 2000|bind ::1" },

	/* Limits. */
	{ "ftp stream tcp nowait.40 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|cps 40/60 0|cps_action queue" },
	{ "ftp stream tcp nowait:61 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|cps 61/60 0|cps_action queue" },
	{ "ftp stream tcp nowait.0 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|cps 0/60 0|cps_action queue" },
	{ "tftp dgram udp WAIT.600 root /bin/sh", "tftp",
	  "id tftp|flags NOLIBWRAP|socket_type dgram|protocol udp|wait yes|user root|groups yes|"
	  "server /bin/sh|cps 600/60 0|cps_action queue" },
	{ "ftp stream tcp nowait/5 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|instances 5|at_limit queue" },
	{ "ftp stream tcp nowait/0 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "ftp stream tcp nowait/5/90/2 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|instances 5|per_source 2|at_limit queue|source_cps 90/60 90" },
	{ "ftp stream tcp nowait/0/0/0 root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "ftp stream,7 tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh|instances 7|at_limit queue" },

	/* Users. */
	{ "ftp stream tcp nowait root:daemon /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|group daemon|"
	  "groups yes|server /bin/sh" },
	{ "ftp stream tcp nowait root.daemon /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|group daemon|"
	  "groups yes|server /bin/sh" },

	/* tcpmux */
	{ "tcpmux/name stream tcp nowait root /bin/sh", "name",
	  "id name|type TCPMUX UNLISTED|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|"
	  "user root|groups yes|server /bin/sh" },
	{ "tcpmux/+name stream tcp nowait root /bin/sh", "name",
	  "id name|type TCPMUXPLUS UNLISTED|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|"
	  "user root|groups yes|server /bin/sh" },
	{ "tcpmux stream tcp nowait root internal", "tcpmux",
	  "id tcpmux-stream|type INTERNAL|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes" },

/* RPC */
#ifdef HAVE_LIBTIRPC
	{ "100083/1-2 stream rpc/tcp wait root /bin/sh sh", "100083",
	  "id 100083|type RPC UNLISTED|flags NOLIBWRAP NAMEINARGS|socket_type stream|protocol tcp|"
	  "wait yes|user root|groups yes|server /bin/sh|server_args sh|rpc_version 1-2|"
	  "rpc_number 100083" },
	{ "100083/1 dgram rpc/udp6 wait root /bin/sh", "100083",
	  "id 100083-ipv6|type RPC UNLISTED|flags IPv6 NOLIBWRAP|socket_type dgram|protocol udp|"
	  "wait yes|user root|groups yes|server /bin/sh|v6only yes|rpc_version 1|rpc_number 100083" },
#endif

	/* Words. */
	{ "ftp stream tcp nowait root /bin/sh \"a b\" 'c \"d' e'f \"\" # \\", "ftp",
	  "id ftp|flags NOLIBWRAP NAMEINARGS|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|server_args \"a b\" \"c \\\"d\" e'f \"\" \"#\" \\" },
	{ "ftp stream tcp nowait root /bin/sh ${X} {1} $a", "ftp",
	  "id ftp|flags NOLIBWRAP NAMEINARGS|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|server_args ${X} {1} $a" },
	{ "ftp stream tcp nowait\n root /bin/sh\n\tsh a\n  b", "ftp",
	  "id ftp|flags NOLIBWRAP NAMEINARGS|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|server_args sh a b" },
	{ "   ftp stream tcp nowait root /bin/sh", "ftp",
	  "id ftp|flags NOLIBWRAP|socket_type stream|protocol tcp|wait no|user root|groups yes|"
	  "server /bin/sh" },
	{ "\xef\xbb\xbf"
	  "ftp stream tcp nowait root /bin/sh sh\r",
	  "ftp",
	  "id ftp|flags NOLIBWRAP NAMEINARGS|socket_type stream|protocol tcp|wait no|user root|"
	  "groups yes|server /bin/sh|server_args sh" },
};

/* The canonical text on one line, without operators. */
static const char *attributes_text(const struct service_settings *service)
{
	const char *text = "", *line = service->canonical;

	for (; *line; line = strchr(line, '\n') + 1) {
		const char *equals = strchr(line, '=');

		text = textf("%s%s%.*s%.*s", text, *text ? "|" : "", (int)strcspn(line + 1, " "),
			     line + 1, (int)strcspn(equals + 1, "\n"), equals + 1);
	}
	return text;
}

START_TEST(translates_lines)
{
	const struct settings *settings = configuration_load_inetd("%s\n", lines[_i].line);

	ck_assert_msg(settings->count == 1 && configuration_complaints(WARNING) == 0, "%s: %s",
		      lines[_i].line, configuration_complaints_text());
	ck_assert_msg(!settings->lost_entries, "%s", lines[_i].line);
	ck_assert_str_eq(settings->services[0]->name, lines[_i].name);
	ck_assert_str_eq(attributes_text(settings->services[0]), lines[_i].attributes);
	ck_assert_int_eq(settings->services[0]->line, 1);
}
END_TEST

/* Migration: the printed entry loads with the same settings. */
START_TEST(a_line_becomes_an_entry)
{
	const char *printed;

	configuration_load_inetd("%s\n", lines[_i].line);
	printed = configuration_print();
	load_options.inetd_conf = NULL;
	configuration_load("%s", printed);
	ck_assert_msg(configuration_complaints(WARNING) == 0, "%s: %s", lines[_i].line,
		      configuration_complaints_text());
	ck_assert_str_eq(configuration_print(), printed);
}
END_TEST

/* Lines with something that can't be used. */
static const struct {
	const char *line;
	enum severity severity;
	const char *said;
	bool is_lost; /* not even the name is known */
} complaints[] = {
	{ "ftp", ERROR, "there are only 1 words", true },
	{ "ftp stream tcp nowait root", ERROR, "NAME TYPE PROTOCOL WAIT USER SERVER are expected",
	  true },
	{ "127.0.0.1: ftp stream tcp nowait root", ERROR, "there are only 5 words", true },
	{ "ftp stream tcp nowait root 'x", ERROR, "has no closing one", true },
	{ "ftp stream tcp nowait root /bin/sh \"", ERROR, "has no closing one", true },
	{ "ftp stream tcp maybe root /bin/sh", ERROR, "\"maybe\" is neither wait nor nowait",
	  false },
	{ "ftp stream tcp nowaitx root /bin/sh", ERROR, "\"nowaitx\" is neither", false },
	{ "ftp stream tcp nowait. root /bin/sh", ERROR, "the limit \"\" is not a number", false },
	{ "ftp stream tcp nowait.x root /bin/sh", ERROR, "the limit \"x\" is not a number", false },
	{ "ftp stream tcp nowait/ root /bin/sh", ERROR, "the limit \"\" is not a number", false },
	{ "ftp stream tcp nowait/1/x root /bin/sh", ERROR, "the limit \"x\" is not a number",
	  false },
	{ "ftp stream tcp nowait/1/1/x root /bin/sh", ERROR, "the limit \"x\" is not a number",
	  false },
	{ "ftp stream,x tcp nowait root /bin/sh", ERROR, "the limit \"x\" is not a number", false },
	{ "ftp stream tcp nowait.99999999999 root /bin/sh", ERROR, "from 0 to 10000000", false },
	{ "ftp steam tcp nowait root /bin/sh", ERROR, "did you mean \"stream\"?", false },
	{ "ftp rdm tcp nowait root /bin/sh", ERROR, "unknown value \"rdm\"", false },
	{ "ftp stream tcpp nowait root /bin/sh", ERROR, "\"tcpp\" is not in /etc/protocols",
	  false },
	{ "ftp stream tcp nowait nobody-such /bin/sh", ERROR, "there is no user \"nobody-such\"",
	  false },
	{ "ftp stream tcp nowait root:no-such /bin/sh", ERROR, "there is no group \"no-such\"",
	  false },
	{ "ftp stream tcp nowait root: /bin/sh", ERROR, "there is no group \"\"", false },
	{ "ftp stream tcp nowait root no-such-program", ERROR,
	  "there is no program \"no-such-program\" in /usr/local/sbin:/usr/local/bin:", false },
	{ "ftp stream tcp nowait root /no/such", ERROR, "/no/such: No such file", false },
	{ "no-such stream tcp nowait root /bin/sh", ERROR, "no-such/tcp is not in the port map",
	  false },
	{ "ftp stream tcp nowait root internal", ERROR, "there is no internal service ftp", false },
	{ "tftp dgram udp nowait root /bin/sh", ERROR, "needs wait = yes", false },
	{ "99999 stream tcp nowait root /bin/sh", ERROR, "\"99999\" is not a port number", false },
	{ "999999999999999999999 stream tcp nowait root /bin/sh", ERROR, "", false },
	{ "'a b' stream tcp nowait root /bin/sh", ERROR, "\"a b\" is not the name of a service",
	  false },
	{ "tcpmux/ stream tcp nowait root /bin/sh", ERROR, "is not the name of a service", false },
	{ "300.1.1.1:ftp stream tcp nowait root /bin/sh", ERROR, "\"300.1.1.1\" is neither",
	  false },
#ifdef HAVE_LIBTIRPC
	{ "no-such-program/1 stream rpc/tcp nowait root /bin/sh", ERROR, "there is no RPC program",
	  false },
	{ "100083 stream rpc/tcp nowait root /bin/sh", ERROR, "rpc_version: \"\" is not a version",
	  false },
#endif

	/* Features of other inetds. */
	{ "/run/x stream unix nowait root /bin/sh", ERROR, "unix sockets are not served", false },
	{ "/run/x stream tcp nowait root /bin/sh", ERROR, "unix sockets are not served", false },
	{ "name stream unix nowait root /bin/sh", ERROR, "unix sockets are not served", false },
	{ "/run/x stream", ERROR, "unix sockets are not served", false },
	{ ".include /etc/inetd.d/*", ERROR, ".include are not followed", false },
	{ "http on bind = ::1, exec = /bin/sh;", ERROR, "KEY = VALUE notation", false },
	{ "http off bind = 'x;", ERROR, "KEY = VALUE notation", false },
	{ "ftp stream tcp,sndbuf=16k nowait root /bin/sh", WARNING, "the system sizes buffers",
	  false },
	{ "ftp stream:dataready tcp nowait root /bin/sh", WARNING, "no accept filters", false },
	{ "ftp stream tcp nowait root/daemon /bin/sh", WARNING, "no login classes", false },
	{ "ftp stream tcp nowait root:daemon/x /bin/sh", WARNING, "\"/x\" has no effect", false },
};

START_TEST(complains_of_lines)
{
	const struct settings *settings =
		configuration_load_inetd("# first\n%s\ntelnet stream tcp nowait root /bin/sh\n",
					 complaints[_i].line);
	bool is_error = complaints[_i].severity == ERROR;

	ck_assert_msg(configuration_said(complaints[_i].severity, 2, complaints[_i].said), "%s: %s",
		      complaints[_i].line, configuration_complaints_text());
	ck_assert_uint_eq(configuration_complaints(WARNING), 1);
	ck_assert_uint_eq(settings->count, is_error ? 1 : 2);
	ck_assert_ptr_nonnull(configuration_service("telnet"));
	ck_assert_msg(settings->lost_entries == complaints[_i].is_lost, "%s", complaints[_i].line);
}
END_TEST

START_TEST(a_broken_line_is_known_by_its_id)
{
	const struct settings *settings =
		configuration_load_inetd("ftp stream tcp maybe root /bin/sh\n"
					 "echo stream tcp maybe root internal\n");

	ck_assert(settings_has_broken(settings, "ftp"));
	ck_assert(settings_has_broken(settings, "echo-stream"));
}
END_TEST

START_TEST(passes_over_comments)
{
	ck_assert_uint_eq(configuration_load_inetd("\n#ftp stream tcp nowait root /bin/sh\n  # x\n"
						   "#@ipsec esp/transport//require\n \t\n")
				  ->count,
			  0);
	ck_assert_uint_eq(load_problems.count, 0);
}
END_TEST

START_TEST(a_comment_ends_a_line)
{
	configuration_load_inetd("ftp stream tcp nowait root /bin/sh a\n# comment\n b c d e f\n");
	ck_assert_str_eq(configuration_service("ftp")->argv[0], "a");
	ck_assert_ptr_null(configuration_service("ftp")->argv[1]);
	ck_assert(configuration_said(ERROR, 3, "there are only 5 words"));
}
END_TEST

START_TEST(an_indented_line_may_be_an_entry)
{
	configuration_load_inetd("ftp stream tcp nowait root /bin/sh a\n"
				 "\ttelnet STREAM tcp nowait root /bin/sh b\n");
	ck_assert_ptr_nonnull(configuration_service("telnet"));
	ck_assert_ptr_null(configuration_service("ftp")->argv[1]);
}
END_TEST

START_TEST(an_address_alone_is_for_the_lines_after_it)
{
	configuration_load_inetd("ftp stream tcp nowait root /bin/sh\n127.0.0.1,[::1]:\n"
				 "telnet stream tcp nowait root /bin/sh\n"
				 "127.0.0.2:ident stream tcp nowait root /bin/sh\n"
				 "daytime stream tcp nowait root internal\n"
				 "*:\necho stream tcp nowait root internal\n");
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
	ck_assert_uint_eq(configuration_service("ftp")->bind.count, 0);
	ck_assert_uint_eq(configuration_service("telnet")->bind.count, 2);
	ck_assert_str_eq(configuration_service("telnet")->bind.list[1], "::1");
	ck_assert_uint_eq(configuration_service("ident")->bind.count, 1);
	ck_assert_uint_eq(configuration_service("daytime-stream")->bind.count, 2);
	ck_assert_uint_eq(configuration_service("echo-stream")->bind.count, 0);
}
END_TEST

/* As in the BSDs, where tcp is IPv4 and a second line has tcp6. */
START_TEST(a_plain_line_leaves_ipv6_to_its_sibling)
{
	configuration_load_inetd("ftp stream tcp nowait root /bin/sh\n"
				 "echo dgram udp6 wait root internal\n"
				 "FTP stream tcp6 nowait root /bin/sh\n"
				 "echo dgram udp wait root internal\n"
				 "echo stream tcp nowait root internal\n"
				 "[::1]:telnet stream tcp nowait root /bin/sh\n"
				 "[::2]:telnet stream tcp6 nowait root /bin/sh\n");
	ck_assert_msg(configuration_complaints(WARNING) == 0, "%s",
		      configuration_complaints_text());
	ck_assert(configuration_service("ftp")->flags & FLAG_IPV4);
	ck_assert(configuration_service("FTP-ipv6")->v6only);
	ck_assert(configuration_service("echo-dgram")->flags & FLAG_IPV4);
	ck_assert(!(configuration_service("echo-stream")->flags & FLAG_IPV4));
	ck_assert(!(configuration_service("telnet")->flags & FLAG_IPV4));
}
END_TEST

START_TEST(inherits_defaults)
{
	place_write("inetd.conf", "ftp stream tcp nowait root /bin/sh\n");
	load_options.inetd_conf = place_path("inetd.conf");
	configuration_load("defaults\n{\ninstances = 5\n}\n");
	ck_assert_uint_eq(configuration_service("ftp")->admission->instances, 5);
}
END_TEST

START_TEST(refuses_a_nul_byte)
{
	static const char text[] = "ftp stream tcp nowait root /bin/sh a\0b\n"
				   "telnet stream tcp nowait root /bin/sh\n";
	struct settings *settings;

	place_write_bytes("inetd.conf", text, sizeof text - 1);
	load_options.inetd_conf = place_path("inetd.conf");
	settings = configuration_load("# nothing\n");
	ck_assert(configuration_said(ERROR, 1, "NUL byte"));
	ck_assert(settings->lost_entries);
	ck_assert_ptr_nonnull(configuration_service("telnet"));
}
END_TEST

START_TEST(a_missing_file_is_a_warning)
{
	struct settings *settings;

	load_options.inetd_conf = place_path("no-such");
	settings = configuration_load("service echo\n{\ntype = INTERNAL\nsocket_type = stream\n"
				      "wait = no\n}\n");
	ck_assert_ptr_nonnull(configuration_service("echo"));
	ck_assert(settings->lost_entries);
	ck_assert(configuration_said(WARNING, 0, "no-such: No such file or directory"));
}
END_TEST

START_TEST(a_name_alone_is_found_in_the_usual_directories)
{
	const struct service_settings *service;

	ck_assert_int_eq(setenv("PATH", place_path("."), 1), 0);
	place_script("zzprogram", "exit 0\n");
	configuration_load_inetd("ftp stream tcp nowait root sh sh -l\n"
				 "telnet stream tcp nowait root zzprogram\n");
	service = configuration_service("ftp");
	ck_assert_ptr_nonnull(service);
	ck_assert_msg(text_matches(service->server, "^(/usr|/usr/local)?/s?bin/sh$"), "%s",
		      service->server);
	ck_assert_str_eq(service->argv[0], "sh");
	ck_assert(configuration_said(ERROR, 2,
				     "there is no program \"zzprogram\" in /usr/local/sbin:"));
}
END_TEST

/* Every line, cut after each byte: nothing is read beyond the end. */
START_TEST(reads_beginnings_of_lines)
{
	size_t length = strlen(lines[_i].line);

	for (size_t part = 0; part <= length; part++) {
		struct entry_queue entries = STAILQ_HEAD_INITIALIZER(entries);
		struct problems problems = { 0 };
		char *copy = malloc(part > 0 ? part : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, lines[_i].line, part);
		ck_assert_int_le(inetd_conf_parse("file", copy, part, &entries, &problems), 3);
		while (!STAILQ_EMPTY(&entries)) {
			struct entry *entry = STAILQ_FIRST(&entries);

			STAILQ_REMOVE_HEAD(&entries, link);
			entry_free(entry);
		}
		problems_clear(&problems);
		free(copy);
	}
}
END_TEST

Suite *inetd_conf_suite(void)
{
	Suite *suite = suite_create("inetd_conf");
	TCase *tests = tcase_create("inetd_conf");
	int count = (int)(sizeof lines / sizeof lines[0]);

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_loop_test(tests, translates_lines, 0, count);
	tcase_add_loop_test(tests, a_line_becomes_an_entry, 0, count);
	tcase_add_loop_test(tests, reads_beginnings_of_lines, 0, count);
	tcase_add_loop_test(tests, complains_of_lines, 0,
			    (int)(sizeof complaints / sizeof complaints[0]));
	tcase_add_test(tests, a_broken_line_is_known_by_its_id);
	tcase_add_test(tests, passes_over_comments);
	tcase_add_test(tests, a_comment_ends_a_line);
	tcase_add_test(tests, an_indented_line_may_be_an_entry);
	tcase_add_test(tests, an_address_alone_is_for_the_lines_after_it);
	tcase_add_test(tests, a_plain_line_leaves_ipv6_to_its_sibling);
	tcase_add_test(tests, inherits_defaults);
	tcase_add_test(tests, a_name_alone_is_found_in_the_usual_directories);
	tcase_add_test(tests, refuses_a_nul_byte);
	tcase_add_test(tests, a_missing_file_is_a_warning);
	suite_add_tcase(suite, tests);
	return suite;
}
