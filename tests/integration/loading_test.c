/* Which services run after the configuration was read, and the messages about those that
 * don't. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

static bool is_served(int port)
{
	return !client_is_refused(NULL, port);
}

static void check_hello(int port)
{
	ck_assert_str_eq(ask(port, ""), "hello\n");
}

/* The lines of a service; a test may leave out each of them. */
static const char *const complete[] = { "type = UNLISTED", "socket_type = stream", "protocol = tcp",
					"wait = no", "server = /bin/cat" };

/* --- broken entries --- */

/* A line that breaks its service, and the words that the message must have. */
static const struct {
	const char *line, *named;
} broken[] = {
	{ "no_such_attribute = 1", "no_such_attribute" },
	{ "instancs = 5", "instances" },
	{ "instances 5", "instances" },
	{ "instances", "instances" },
	{ "instances += 5", "instances" },
	{ "instances ! 5", "instances" },
	{ "instances =", "instances" },
	{ "= 5", "=" },
	{ "instances = few", "few" },
	{ "instances = 5 6", "instances" },
	{ "instances = -1", "-1" },
	{ "instances = 99999999999999999999", "99999999999999999999" },
	{ "per_source = -3", "-3" },
	{ "cps = 10", "cps" },
	{ "cps = a b", "cps" },
	{ "cps = 10 20 30", "cps" },
	{ "umask = 999", "999" },
	{ "umask = 01000", "01000" },
	{ "nice = low", "low" },
	{ "rlimit_as = lots", "lots" },
	{ "rlimit_files = 1Q", "1Q" },
	{ "rlimit_cpu = x", "rlimit_cpu" },
	{ "port = 70000", "70000" },
	{ "port = 12ab", "12ab" },
	{ "user = no-such-user", "no-such-user" },
	{ "group = no-such-group", "no-such-group" },
	{ "groups = perhaps", "perhaps" },
	{ "type = UNLISTED BOGUS", "BOGUS" },
	{ "flags = BOGUS", "BOGUS" },
	{ "socket_type = flow", "flow" },
	{ "protocol = zz-proto", "zz-proto" },
	{ "protocol = udp", "udp" },
	{ "wait = maybe", "maybe" },
	{ "server = /no/such/server", "/no/such/server" },
	{ "server = /etc/passwd", "/etc/passwd" },
	{ "log_type = NOWHERE x", "NOWHERE" },
	{ "log_type = FILE", "log_type" },
	{ "log_type = FILE /no/such/directory/log", "/no/such/directory" },
	{ "log_on_success = PID BOGUS", "BOGUS" },
	{ "log_on_failure = BOGUS", "BOGUS" },
	{ "lingering_close = perhaps", "perhaps" },
	{ "kill_on_disconnect = yes", "yes" },
	{ "only_from = 1.2.3.4,5.6.7.8", "1.2.3.4,5.6.7.8" },
	{ "only_from = 10.0.0.0/33", "10.0.0.0/33" },
	{ "only_from = ::/129", "::/129" },
	{ "only_from = 1.2.{3,4", "1.2.\\{3,4" },
	{ "no_access = 10.0.0.0/x", "10.0.0.0/x" },
	{ "access_times = 9-17", "9-17" },
	{ "access_times = 25:00-26:00", "25:00" },
	{ "max_load = heavy", "heavy" },
	{ "env = NOEQUALSIGN", "NOEQUALSIGN" },
	{ "flags = NAMEINARGS", "NAMEINARGS" },
	{ "bind = 300.1.1.1", "300.1.1.1" },
	{ "deny_time = soon", "soon" },
	{ "disable = perhaps", "perhaps" },
	{ "v6only = perhaps", "perhaps" },
	{ "rlimit_as = 1M\nbanner = a b", "banner" },
	{ "redirect = 127.0.0.1", "redirect" },
	{ "enabled = this", "enabled" },
	{ "wait = yes\nonly_from = 127.0.0.1", "only_from" },
	{ "socket_type = dgram\nwait = no", "wait" },
};

START_TEST(a_broken_line_costs_its_service_alone)
{
	const char *line = broken[_i].line;
	int bad = add_service("zzbad", "%s\n%s", strstr(line, "server =") ? "" : CAT, line);
	int good = add_service("zzgood", HELLO), number;

	if (bad < 0)
		bad = port_take(); /* on which it must not listen */
	daemon_start();
	ck_assert_msg(client_is_refused(NULL, bad), "served in spite of \"%s\"", line);
	ck_assert_msg(strcmp(ask(good, ""), "hello\n") == 0, "\"%s\" costs the other service too",
		      line);
	line = strrchr(line, '\n') ? strrchr(line, '\n') + 1 : line;
	number = configuration_line(textf("^%.9s", line));
	/* A conflict of two lines is reported on the first line of the entry. */
	ck_assert_msg(text_matches(daemon_log(), textf("usherd\\.conf:(%d|1: service zzbad): .*%s",
						       number, broken[_i].named)),
		      "nothing about \"%s\", line %d, that names %s:\n%s", line, number,
		      broken[_i].named, daemon_log());
}
END_TEST

START_TEST(a_missing_attribute_costs_its_service_alone)
{
	/* The protocol follows from the socket type, or the other way round. */
	static const struct {
		int left_out, also;
		const char *named;
	} missing[] = {
		{ 1, 2, "socket_type" },
		{ 3, 3, "wait" },
		{ 4, 4, "server" },
	};
	int bad = port_take(), good;

	configure("service zzbad\n{\nport = %d\nuser = %s\n", bad, current_user());
	for (int i = 0; i < LENGTH(complete); i++)
		if (i != missing[_i].left_out && i != missing[_i].also)
			configure("%s\n", complete[i]);
	configure("}\n");
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert_msg(!is_served(bad), "served without %s", missing[_i].named);
	check_hello(good);
	ck_assert_msg(text_matches(daemon_log(), missing[_i].named), "nothing about %s in %s",
		      missing[_i].named, daemon_log());
}
END_TEST

START_TEST(user_and_port_are_required)
{
	int bad = port_take(), good;

	configure("service zzbad\n{\nport = %d\n", bad);
	for (int i = 0; i < LENGTH(complete); i++)
		configure("%s\n", complete[i]);
	configure("}\nservice zzworse\n{\nuser = %s\n", current_user());
	for (int i = 0; i < LENGTH(complete); i++)
		configure("%s\n", complete[i]);
	configure("}\n");
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert(!is_served(bad));
	check_hello(good);
	ck_assert(text_matches(daemon_log(), "zzbad.*user|user.*zzbad"));
	ck_assert(text_matches(daemon_log(), "zzworse.*port|port.*zzworse"));
}
END_TEST

START_TEST(every_error_is_told_in_one_run)
{
	int good;

	add_service("zzone", CAT "umask = 999\nnice = low");
	add_service("zztwo", CAT "instances = few");
	good = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(good);
	daemon_wait_log("usherd\\.conf:%d: .*999", configuration_line("umask"));
	daemon_wait_log("usherd\\.conf:%d: .*low", configuration_line("nice"));
	daemon_wait_log("usherd\\.conf:%d: .*few", configuration_line("instances"));
}
END_TEST

START_TEST(nothing_revives_a_broken_service)
{
	int bad, good;

	add_defaults("enabled = zzbad zzgood");
	bad = add_service("zzbad", CAT "instances = few\ndisable = no");
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert(!is_served(bad));
	check_hello(good);
}
END_TEST

START_TEST(an_unfinished_entry_costs_itself_alone)
{
	int good = add_service("zzgood", HELLO), bad = port_take();

	configure("service zzbad\n{\nport = %d\nuser = %s\n", bad, current_user());
	for (int i = 0; i < LENGTH(complete); i++)
		configure("%s\n", complete[i]);
	daemon_start();
	ck_assert(!is_served(bad));
	check_hello(good);
	daemon_wait_log("usherd\\.conf:[0-9]+: ");
}
END_TEST

START_TEST(stray_text_costs_up_to_the_next_brace)
{
	int lost, good;

	configure("stray words\n");
	lost = add_service("zzlost", CAT);
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert(!is_served(lost));
	check_hello(good);
	daemon_wait_log("usherd\\.conf:1: ");
}
END_TEST

START_TEST(a_stray_brace_costs_up_to_the_next_brace)
{
	int first = add_service("zzfirst", HELLO), lost, good;

	configure("}\n");
	lost = add_service("zzlost", CAT);
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert(!is_served(lost));
	check_hello(first);
	check_hello(good);
	daemon_wait_log("\"}\" stands between entries, .* is skipped$");
}
END_TEST

START_TEST(two_services_on_one_socket_leave_the_first)
{
	int port = add_service("zzone", HELLO), good;

	add_service("zztwo", "server = /bin/echo\nserver_args = second\nport = %d", port);
	good = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(port);
	check_hello(good);
	daemon_wait_log("zztwo");
}
END_TEST

START_TEST(a_binary_file_harms_nobody)
{
	static const char bytes[] = "\x7f"
				    "ELF\0\1\2\3 service \0 { \0\n\xff\xfe = }\n"
				    "{{{{\n}\n\0\0";
	int good;

	place_write_bytes("binary", bytes, sizeof bytes - 1);
	configure("include %s\n", place_path("binary"));
	good = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(good);
	daemon_wait_log("binary:[0-9]+: ");
}
END_TEST

/* --- warnings --- */

START_TEST(the_first_of_two_scalars_counts)
{
	int port = add_service("zzdouble", "server = /bin/echo\nserver_args = first\n"
					   "server_args = second\n");

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "first\n");
	daemon_wait_log("usherd\\.conf:%d: .*server_args",
			configuration_line("server_args = second"));
}
END_TEST

static const char *const harmless[] = {
	"flags = REUSE",
	"flags = REUSE NORETRY NOLIBWRAP IPv4",
	"mdns = yes",
	"disable = no",
	"instances = UNLIMITED",
	"instances = unlimited",
	"cps = 0 0",
	"umask = 022",
	"per_source = UNLIMITED",
	"rlimit_cpu = UNLIMITED",
	"log_type = SYSLOG daemon info",
	"log_type = SYSLOG local7",
	"log_on_success =",
	"log_on_failure =",
	"nice = 0",
	"only_from = 127.0.0.1 localhost",
	"no_access = 192.0.2.0/24",
};

START_TEST(harmless_lines_cost_nothing)
{
	int port = add_service("zzfine", HELLO "%s\n", harmless[_i]);

	daemon_start();
	ck_assert_msg(is_served(port), "\"%s\" costs the service:\n%s", harmless[_i], daemon_log());
	ck_assert_msg(strcmp(ask(port, ""), "hello\n") == 0, "\"%s\" costs the answer",
		      harmless[_i]);
}
END_TEST

/* --- the text --- */

START_TEST(white_space_and_comments_are_free)
{
	int port = port_take();

	configure("# a comment\n\n  \t \n   # another one\n"
		  "  \tservice\t \tzzfree\t \n \t{ \t\n type\t=\tUNLISTED\t\n"
		  "\t \tsocket_type =stream\n# inside\n   # protocol = udp\nprotocol =\ttcp\n\n"
		  "   wait\t =no \n user =  %s\nserver\t\t\t=/bin/echo  \nserver_args =hello\n"
		  "port = %d\n  } \t\n# the end\n",
		  current_user(), port);
	daemon_start();
	check_hello(port);
}
END_TEST

START_TEST(words_compare_without_case)
{
	int port = port_take();

	configure("SERVICE zzcase\n{\nTYPE = unlisted\nSocket_Type = STREAM\nprotocol = TCP\n"
		  "WAIT = No\nUser = %s\nSERVER = /bin/echo\nServer_Args = hello\nport = %d\n}\n",
		  current_user(), port);
	daemon_start();
	check_hello(port);
}
END_TEST

START_TEST(blanks_around_an_operator_are_optional)
{
	int port = port_take();

	configure("service zztight\n{\ntype=UNLISTED\nsocket_type=stream\nprotocol=tcp\nwait=no\n"
		  "user=%s\nserver=/bin/echo\nserver_args=hello\nport=%d\nonly_from=127.0.0.9\n"
		  "only_from+=127.0.0.1\nonly_from-=127.0.0.9\n}\n",
		  current_user(), port);
	daemon_start();
	check_hello(port);
	ck_assert_str_eq(ask_from("127.0.0.9", port, ""), "");
}
END_TEST

START_TEST(the_brace_may_stand_on_the_header_line)
{
	int port = port_take();

	configure("service zzbrace {\ntype = UNLISTED\nsocket_type = stream\nprotocol = tcp\n"
		  "wait = no\nuser = %s\nserver = /bin/echo\nserver_args = hello\nport = %d\n}\n",
		  current_user(), port);
	daemon_start();
	check_hello(port);
}
END_TEST

/* The same entry with these line ends. */
static int configure_with_line_ends(const char *end, const char *last_end)
{
	static const char *const lines[] = { "service zzends",     "{",
					     "type = UNLISTED",    "socket_type = stream",
					     "protocol = tcp",     "wait = no",
					     "server = /bin/echo", "server_args = hello" };
	int port = port_take();

	for (int i = 0; i < LENGTH(lines); i++)
		configure("%s%s", lines[i], end);
	configure("user = %s%sport = %d%s}%s", current_user(), end, port, end, last_end);
	return port;
}

START_TEST(lines_may_end_with_crlf)
{
	int port = configure_with_line_ends("\r\n", "\r\n");

	daemon_start();
	check_hello(port);
}
END_TEST

START_TEST(the_last_line_may_lack_its_end)
{
	int port = configure_with_line_ends("\n", "");

	daemon_start();
	check_hello(port);
}
END_TEST

START_TEST(a_byte_order_mark_is_skipped)
{
	int port;

	configure("\xef\xbb\xbf");
	port = configure_with_line_ends("\n", "\n");
	daemon_start();
	check_hello(port);
}
END_TEST

START_TEST(comment_lines_never_continue)
{
	int port;

	configure("# ends with a backslash \\\n");
	port = add_service("zzcomment", HELLO "# so does this \\\nonly_from = 127.0.0.1\n");
	daemon_start();
	check_hello(port);
	ck_assert_str_eq(ask_from("127.0.0.9", port, ""), "");
}
END_TEST

START_TEST(a_comment_may_follow_the_values)
{
	int port = add_service("zztrailing", CAT "per_source = 1 # one is enough\n"
						 "only_from = 127.0.0.1 # not 127.0.0.9\n"),
	    held;

	daemon_start();
	held = client_hold(port);
	ck_assert_str_eq(ask(port, "second"), "");
	ck_assert_str_eq(ask_from("127.0.0.9", port, "stranger"), "");
	client_ping(held);
}
END_TEST

START_TEST(free_form_values_are_no_comments)
{
	int port = add_service("zzhash", "server = /bin/echo\nserver_args = 3 # x\n");

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "3 # x\n");
}
END_TEST

START_TEST(quotes_hold_words_together)
{
	int port = add_service("zzquotes",
			       "server = %s\nserver_args = \"two words\" \"\" "
			       "\"a\\\"b\\\\c\" d\"e f\" $HOME ; \\ | , x,y 'z z'\n",
			       place_program("report"));
	static const char *const expected[] = { "two words", "",   "a\"b\\\\c", "d\"e", "f\"",
						"\\$HOME",   ";",  "\\\\",      "\\|",  ",",
						"x,y",       "'z", "z'" };
	char *report;

	daemon_start();
	report = ask(port, "");
	for (int i = 0; i < LENGTH(expected); i++)
		ck_assert_msg(text_matches(report, textf("^argument\\.%d=%s$", i + 1, expected[i])),
			      "argument %d is not %s in %s", i + 1, expected[i], report);
	ck_assert(text_matches(report, textf("^arguments=%d$", LENGTH(expected) + 1)));
}
END_TEST

START_TEST(bytes_over_127_are_letters)
{
	int port = add_service("zzbytes", "server = /bin/echo\n"
					  "server_args = gr\xc3\xbc\xc3\x9f \xe9\n");

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "gr\xc3\xbc\xc3\x9f \xe9\n");
}
END_TEST

START_TEST(many_services_are_read)
{
	enum { SERVICES = 100 };
	int ports[SERVICES];

	for (int i = 0; i < SERVICES; i++)
		ports[i] = add_service("zzmany",
				       "id = zzmany-%d\nserver = /bin/echo\n"
				       "server_args = %d\n",
				       i, i);
	daemon_start();
	for (int i = 0; i < SERVICES; i++)
		ck_assert_str_eq(ask(ports[i], ""), textf("%d\n", i));
	ck_assert(text_matches(daemon_log(), "Started working: 100 available services"));
}
END_TEST

/* --- defaults --- */

START_TEST(defaults_apply_wherever_they_stand)
{
	int port = add_service("zzearly", HELLO);

	add_defaults("only_from = 127.0.0.9");
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.9", port, ""), "hello\n");
}
END_TEST

START_TEST(services_edit_the_lists_of_defaults)
{
	int plain, more, less, other;

	add_defaults("only_from = 127.0.0.2\nonly_from += 127.0.0.3");
	plain = add_service("zzplain", HELLO);
	more = add_service("zzmore", HELLO "only_from += 127.0.0.4");
	less = add_service("zzless", HELLO "only_from -= 127.0.0.3");
	other = add_service("zzother", HELLO "only_from = 127.0.0.5");
	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.2", plain, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.3", plain, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.4", plain, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.3", more, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.4", more, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.2", less, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.3", less, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.2", other, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.5", other, ""), "hello\n");
}
END_TEST

START_TEST(services_override_the_scalars_of_defaults)
{
	int plain, own, held;

	add_defaults("instances = 1");
	plain = add_service("zzplain", CAT);
	own = add_service("zzown", CAT "instances = 2");
	daemon_start();
	held = client_hold(plain);
	ck_assert_str_eq(ask(plain, "no"), "");
	close(held);
	held = client_hold(own);
	ck_assert_str_eq(ask(own, "yes"), "yes");
	close(held);
}
END_TEST

/* Lines of defaults with which the daemon does not start. */
static const char *const bad_defaults[] = { "instances = few", "no_such_attribute = 1",
					    "only_from = 1.2.3.4,5", "cps = 1", "umask = 8" };

START_TEST(an_error_in_defaults_rejects_the_load)
{
	const char *const arguments[] = {
		"-dontfork", "-f", configuration_path(), "-filelog", place_path("daemon.log"), NULL
	};
	struct outcome outcome;

	add_defaults("%s", bad_defaults[_i]);
	add_service("zzgood", HELLO);
	configuration_write();
	outcome = daemon_run(arguments);
	ck_assert_msg(outcome.status == 1, "\"%s\" gives status %d", bad_defaults[_i],
		      outcome.status);
	ck_assert_msg(text_matches(daemon_log(), "usherd\\.conf:3: "), "no word about \"%s\": %s",
		      bad_defaults[_i], daemon_log());
}
END_TEST

START_TEST(an_attribute_out_of_place_in_defaults_is_a_warning)
{
	int port;

	add_defaults("nice = 5\naccess_times = 0:00-0:01");
	port = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(port);
	daemon_wait_log("usherd\\.conf:3: .*nice");
}
END_TEST

START_TEST(a_second_defaults_in_one_file_is_ignored)
{
	int port;

	add_defaults("only_from = 127.0.0.1");
	add_defaults("no_access = 127.0.0.1");
	port = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(port);
	daemon_wait_log("usherd\\.conf:5: .*defaults");
}
END_TEST

START_TEST(disabled_services_are_not_served)
{
	int own, listed, also, free_one;

	add_defaults("disabled = zzlisted\ndisabled += zz-also");
	own = add_service("zzown", CAT "disable = yes");
	listed = add_service("zzlisted", CAT);
	also = add_service("zzname", CAT "id = zz-also");
	free_one = add_service("zzname", HELLO "id = zz-free");
	daemon_start();
	ck_assert(!is_served(own));
	ck_assert(!is_served(listed));
	ck_assert(!is_served(also));
	check_hello(free_one);
}
END_TEST

START_TEST(enabled_names_the_only_ones)
{
	int one, two, three, off;

	add_defaults("enabled = zz-two zz-three zz-off");
	one = add_service("zzname", CAT "id = zz-one");
	two = add_service("zzname", HELLO "id = zz-two");
	three = add_service("zzname", HELLO "id = zz-three");
	off = add_service("zzname", CAT "id = zz-off\ndisable = yes");
	daemon_start();
	ck_assert(!is_served(one));
	check_hello(two);
	check_hello(three);
	ck_assert(!is_served(off));
}
END_TEST

/* --- files --- */

/* Writes an entry for HELLO into a file of its own; returns its port. */
static int write_service(const char *file, const char *name, const char *word)
{
	int port = port_take();

	place_write(file,
		    "service %s\n{\ntype = UNLISTED\nsocket_type = stream\nprotocol = tcp\n"
		    "wait = no\nuser = %s\nserver = /bin/echo\nserver_args = %s\nport = %d\n}\n",
		    name, current_user(), word, port);
	return port;
}

static void make_directory(const char *name)
{
	ck_assert_int_eq(mkdir(place_path(name), 0755), 0);
}

START_TEST(included_files_are_read)
{
	int inner = write_service("inner", "zzinner", "hello");
	int outer = write_service("outer", "zzouter", "hello"), own;
	const char *text = place_read("outer");

	place_write("outer", "include %s\n%s", place_path("inner"), text);
	configure("include %s\n", place_path("outer"));
	own = add_service("zzown", HELLO);
	daemon_start();
	check_hello(inner);
	check_hello(outer);
	check_hello(own);
}
END_TEST

START_TEST(relative_names_start_at_the_including_file)
{
	int near, below, listed;

	make_directory("sub");
	make_directory("sub/list");
	near = write_service("near", "zznear", "hello");
	below = write_service("sub/below", "zzbelow", "hello");
	listed = write_service("sub/list/one", "zzlisted", "hello");
	place_write("sub/first", "include below\nincludedir list\n");
	configure("include near\ninclude sub/first\n");
	daemon_start();
	check_hello(near);
	check_hello(below);
	check_hello(listed);
}
END_TEST

START_TEST(a_missing_file_is_reported)
{
	int port;

	configure("include /no/such/file\nincludedir /no/such/directory\n");
	port = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(port);
	daemon_wait_log("/no/such/file");
	daemon_wait_log("/no/such/directory");
}
END_TEST

START_TEST(an_endless_include_ends)
{
	int port;

	place_write("one", "include %s\n", place_path("two"));
	place_write("two", "include %s\n", place_path("one"));
	configure("include %s\n", place_path("one"));
	port = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(port);
	daemon_wait_log("(one|two):1: ");
}
END_TEST

START_TEST(a_directory_gives_the_files_whose_names_fit)
{
	int fit, dot, leading, tilde, below, good;

	make_directory("list");
	make_directory("list/sub");
	fit = write_service("list/fit-1_x", "zzfit", "hello");
	dot = write_service("list/name.conf", "zzdot", "hello");
	leading = write_service("list/.hidden", "zzhidden", "hello");
	tilde = write_service("list/backup~", "zzbackup", "hello");
	below = write_service("list/sub/file", "zzbelow", "hello");
	configure("includedir %s\n", place_path("list"));
	good = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(fit);
	check_hello(good);
	ck_assert(!is_served(dot));
	ck_assert(!is_served(leading));
	ck_assert(!is_served(tilde));
	ck_assert(!is_served(below));
}
END_TEST

START_TEST(a_directory_is_read_in_byte_order)
{
	static const char *const names[] = { "b", "a", "B" };
	int port = port_take();

	make_directory("list");
	for (int i = 0; i < 3; i++)
		place_write(textf("list/%s", names[i]),
			    "service zzorder\n{\ntype = UNLISTED\nsocket_type = stream\n"
			    "protocol = tcp\nwait = no\nuser = %s\nserver = /bin/echo\n"
			    "server_args = %s\nport = %d\n}\n",
			    current_user(), names[i], port);
	configure("includedir %s\n", place_path("list"));
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "B\n");
}
END_TEST

START_TEST(errors_name_the_included_file)
{
	int port;

	make_directory("list");
	place_write("list/broken", "# first\nservice zzbroken\n{\n\tinstances = few\n}\n");
	configure("includedir %s\n", place_path("list"));
	port = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(port);
	daemon_wait_log("list/broken:4: .*few");
}
END_TEST

START_TEST(a_file_anybody_can_write_is_refused)
{
	const char *const arguments[] = {
		"-dontfork", "-f", configuration_path(), "-filelog", place_path("daemon.log"), NULL
	};

	add_service("zzgood", HELLO);
	configuration_write();
	ck_assert_int_eq(chmod(configuration_path(), 0646), 0);
	ck_assert_int_eq(daemon_run(arguments).status, 1);
	daemon_wait_log("usherd\\.conf");
}
END_TEST

START_TEST(an_included_file_anybody_can_write_is_refused)
{
	int bad = write_service("open", "zzopen", "hello"), good;

	ck_assert_int_eq(chmod(place_path("open"), 0666), 0);
	configure("include %s\n", place_path("open"));
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert(!is_served(bad));
	check_hello(good);
	daemon_wait_log("open.*writ|writ.*open");
}
END_TEST

/* --- ports --- */

/* A service that is not UNLISTED: the port map knows its port. */
static void configure_listed(const char *name, const char *lines)
{
	configure("service %s\n{\nsocket_type = stream\nwait = no\nuser = %s\n" HELLO "%s}\n", name,
		  current_user(), lines);
}

START_TEST(the_null_device_is_an_empty_file)
{
	static const char *const arguments[] = { "-check", "-f", "/dev/null", NULL };
	struct outcome outcome = daemon_run(arguments);

	ck_assert_msg(outcome.status == 0, "%s%s", outcome.output, outcome.errors);
}
END_TEST

START_TEST(a_port_map_gives_the_ports)
{
	int mapped = port_take(), aliased = port_take(), same = port_take(), other = port_take();

	place_write("services",
		    "zzmapped %d/tcp\nzzofficial %d/tcp zzalias # comment\n"
		    "zzsame %d/tcp\nzzother %d/tcp\n",
		    mapped, aliased, same, other);
	configure("daemon\n{\nport_map = %s\n}\n", place_path("services"));
	configure_listed("zzmapped", "");
	configure_listed("ZZALIAS", "");
	configure_listed("zzsame", textf("port = %d\n", same));
	configure_listed("zzother", textf("port = %d\n", mapped));
	configure_listed("zzunknown", "");
	daemon_start();
	check_hello(mapped);
	check_hello(aliased);
	check_hello(same);
	ck_assert(!is_served(other));
	daemon_wait_log("zzother");
	daemon_wait_log("zzunknown");
}
END_TEST

START_TEST(bad_lines_of_a_port_map_are_reported)
{
	int port = port_take();

	place_write("services", "# map\nzzbad 99999/tcp\nzzgood %d/tcp\n", port);
	configure("daemon\n{\nport_map = %s\n}\n", place_path("services"));
	configure_listed("zzgood", "");
	daemon_start();
	check_hello(port);
	daemon_wait_log("services:2: .*99999");
}
END_TEST

START_TEST(the_map_of_the_system_is_the_default)
{
	int good;

	/* Every /etc/services has it, with another port. */
	configure("service tftp\n{\nsocket_type = dgram\nwait = yes\nuser = %s\nport = %d\n" CAT
		  "}\n",
		  current_user(), port_take());
	good = add_service("zzgood", HELLO);
	daemon_start();
	check_hello(good);
	daemon_wait_log("tftp.*69|69.*tftp");
}
END_TEST

static void add_broken_tests(Suite *suite)
{
	TCase *entries = daemon_tcase(suite, "broken entries");

	tcase_add_loop_test(entries, a_broken_line_costs_its_service_alone, 0, LENGTH(broken));
	tcase_add_loop_test(entries, a_missing_attribute_costs_its_service_alone, 0, 3);
	tcase_add_test(entries, user_and_port_are_required);
	tcase_add_test(entries, every_error_is_told_in_one_run);
	tcase_add_test(entries, nothing_revives_a_broken_service);
	tcase_add_test(entries, an_unfinished_entry_costs_itself_alone);
	tcase_add_test(entries, stray_text_costs_up_to_the_next_brace);
	tcase_add_test(entries, a_stray_brace_costs_up_to_the_next_brace);
	tcase_add_test(entries, two_services_on_one_socket_leave_the_first);
	tcase_add_test(entries, a_binary_file_harms_nobody);
	tcase_add_test(entries, the_first_of_two_scalars_counts);
	tcase_add_loop_test(entries, harmless_lines_cost_nothing, 0, LENGTH(harmless));
}

static void add_text_tests(Suite *suite)
{
	TCase *text = daemon_tcase(suite, "text");

	tcase_add_test(text, white_space_and_comments_are_free);
	tcase_add_test(text, words_compare_without_case);
	tcase_add_test(text, blanks_around_an_operator_are_optional);
	tcase_add_test(text, the_brace_may_stand_on_the_header_line);
	tcase_add_test(text, lines_may_end_with_crlf);
	tcase_add_test(text, the_last_line_may_lack_its_end);
	tcase_add_test(text, a_byte_order_mark_is_skipped);
	tcase_add_test(text, comment_lines_never_continue);
	tcase_add_test(text, a_comment_may_follow_the_values);
	tcase_add_test(text, free_form_values_are_no_comments);
	tcase_add_test(text, quotes_hold_words_together);
	tcase_add_test(text, bytes_over_127_are_letters);
	tcase_add_test(text, many_services_are_read);
}

static void add_defaults_tests(Suite *suite)
{
	TCase *defaults = daemon_tcase(suite, "defaults");

	tcase_add_test(defaults, defaults_apply_wherever_they_stand);
	tcase_add_test(defaults, services_edit_the_lists_of_defaults);
	tcase_add_test(defaults, services_override_the_scalars_of_defaults);
	tcase_add_loop_test(defaults, an_error_in_defaults_rejects_the_load, 0,
			    LENGTH(bad_defaults));
	tcase_add_test(defaults, an_attribute_out_of_place_in_defaults_is_a_warning);
	tcase_add_test(defaults, a_second_defaults_in_one_file_is_ignored);
	tcase_add_test(defaults, disabled_services_are_not_served);
	tcase_add_test(defaults, enabled_names_the_only_ones);
}

static void add_file_tests(Suite *suite)
{
	TCase *files = daemon_tcase(suite, "files");

	tcase_add_test(files, included_files_are_read);
	tcase_add_test(files, relative_names_start_at_the_including_file);
	tcase_add_test(files, a_missing_file_is_reported);
	tcase_add_test(files, the_null_device_is_an_empty_file);
	tcase_add_test(files, an_endless_include_ends);
	tcase_add_test(files, a_directory_gives_the_files_whose_names_fit);
	tcase_add_test(files, a_directory_is_read_in_byte_order);
	tcase_add_test(files, errors_name_the_included_file);
	if (is_superuser()) {
		tcase_add_test(files, a_file_anybody_can_write_is_refused);
		tcase_add_test(files, an_included_file_anybody_can_write_is_refused);
	}
}

static void add_port_tests(Suite *suite)
{
	TCase *ports = daemon_tcase(suite, "ports");

	tcase_add_test(ports, a_port_map_gives_the_ports);
	tcase_add_test(ports, bad_lines_of_a_port_map_are_reported);
	tcase_add_test(ports, the_map_of_the_system_is_the_default);
}

Suite *loading_suite(void)
{
	Suite *suite = suite_create("loading");

	add_broken_tests(suite);
	add_text_tests(suite);
	add_defaults_tests(suite);
	add_file_tests(suite);
	add_port_tests(suite);
	return suite;
}
