/* -print, -check and -explain. */
#include "support/daemon.h"
#include "support/own_etc.h"
#include "support/place.h"

#include "config/attributes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

static struct outcome inspect(const char *command)
{
	configuration_write();
	return daemon_run((const char *const[]){ command, "-f", configuration_path(), NULL });
}

static struct outcome inspect_text(const char *command, const char *text)
{
	configuration_clear();
	configure("%s", text);
	return inspect(command);
}

/* The output of -print, which must succeed without messages. */
static const char *printed(void)
{
	struct outcome outcome = inspect("-print");

	ck_assert_msg(outcome.status == 0, "status %d: %s", outcome.status, outcome.errors);
	ck_assert_str_eq(outcome.errors, "");
	return textf("%s", outcome.output);
}

/* The text without its comments. */
static const char *without_comments(const char *text)
{
	char *rest = textf("%s", text), *line;
	const char *kept = "";

	while ((line = strsep(&rest, "\n")))
		if (line[0] != '#')
			kept = textf("%s%s\n", kept, line);
	return kept;
}

/* The output loads again without messages, and is then printed the same. */
static void expect_round_trip(const char *text)
{
	struct outcome again = inspect_text("-print", text);

	ck_assert_msg(again.status == 0 && again.errors[0] == '\0', "status %d: %s\n%s",
		      again.status, again.errors, text);
	ck_assert_str_eq(without_comments(again.output), without_comments(text));
}

static void expect_line(const char *text, const char *line)
{
	ck_assert_msg(strstr(text, textf("\n%s\n", line)) != NULL, "no line \"%s\" in\n%s", line,
		      text);
}

/* The test's script runs the daemon's program, which is in $USHERD. */
static void run_by(const char *script)
{
	const char *daemon = getenv("USHERD");
	const char *path = place_script("wrapper", "set -e\nUSHERD=%s\n%s", daemon, script);

	ck_assert_int_eq(setenv("USHERD", path, 1), 0);
}

/* --- -print: every attribute --- */

#define SERVER \
	"type = UNLISTED\nport = 7001\nsocket_type = stream\nwait = no\nuser = root\n" \
	"server = /bin/cat\n"
#define NOT_ROOT \
	"type = UNLISTED\nport = 7001\nsocket_type = stream\nwait = no\nuser = daemon\n" \
	"server = /bin/cat\n"
#define REDIRECT "type = UNLISTED\nport = 7001\nsocket_type = stream\nwait = no\n"
#define SENSOR "type = INTERNAL UNLISTED\nport = 7001\nsocket_type = stream\nwait = no\n"
#define RPC "socket_type = stream\nwait = no\nuser = root\nserver = /bin/cat\n"

/* An attribute that may be left out, and the printed line: "=" when it is the same. */
static const struct {
	const char *service, *attribute, *values, *printed;
} attribute_rows[] = {
	{ SERVER, "id", "other", "=" },
	{ "port = 7001\nsocket_type = stream\nwait = no\nuser = root\nserver = /bin/cat\n", "type",
	  "UNLISTED SPECIAL", "=" },
	{ SERVER, "flags", "NODELAY keepalive IPv6 NOLIBWRAP NORETRY", "=" },
	{ SERVER, "disable", "no", "=" },
	{ NOT_ROOT, "preset", "jail", "scratch /tmp 16M" },
	{ NOT_ROOT "preset = jail\n", "syscalls", "default -ptrace", "=" },
	{ "type = UNLISTED\nport = 7001\nwait = no\nuser = root\nserver = /bin/cat\n",
	  "socket_type", "stream", "=" },
	{ SERVER, "protocol", "tcp", "=" },
	{ "type = UNLISTED\nport = 7001\nsocket_type = stream\nuser = root\nserver = /bin/cat\n",
	  "wait", "no", "=" },
	{ "type = UNLISTED\nport = 7001\nsocket_type = stream\nwait = no\nserver = /bin/cat\n",
	  "user", "root", "=" },
	{ SERVER, "group", "0", "=" },
	{ SERVER, "groups", "yes", "=" },
	{ "type = UNLISTED\nport = 7001\nsocket_type = stream\nwait = no\nuser = root\n", "server",
	  "/bin/cat", "=" },
	{ SERVER, "server_args",
	  "-u a\\b \"two words\" \"\" \"#no comment\" \"a \\\"b\\\" \\\\c\" $x;|", "=" },
	{ REDIRECT, "redirect", "127.0.0.1 7002", "=" },
	{ REDIRECT "redirect = 127.0.0.1 7002\n", "send_proxy", "v2", "=" },
	{ REDIRECT "redirect = 127.0.0.1 7002\n", "idle_timeout", "60", "=" },
	{ SERVER, "start_timeout", "60", "=" },
	{ SERVER, "max_runtime", "60", "=" },
	{ SERVER, "kill_timeout", "9", "=" },
	{ SERVER, "idle_timeout", "60", "=" },
	{ SERVER, "lingering_close", "yes", "=" },
	{ SERVER, "kill_on_disconnect", "reset", "=" },
	{ SERVER, "pty", "eof", "=" },
	{ "type = UNLISTED\nsocket_type = stream\nwait = no\nuser = root\nserver = /bin/cat\n",
	  "port", "7001", "=" },
	{ SERVER, "bind", "127.0.0.1 ::1 localhost", "=" },
	{ SERVER, "interface", "127.0.0.1", "bind 127.0.0.1" },
	{ SERVER, "v6only", "yes", "=" },
	{ SERVER, "instances", "UNLIMITED", "=" },
	{ SERVER, "per_source", "7", "=" },
	{ SERVER, "source_prefix", "24 56", "=" },
	{ SERVER, "at_limit", "queue", "=" },
	{ SERVER, "cps", "0 0", "=" },
	{ SERVER, "cps_action", "suspend", "=" },
	{ SERVER, "source_cps", "5 10", "=" },
	{ SERVER, "max_load", "2.5", "=" },
	{ SERVER, "only_from", "10.0.0.0 ::1 .example.org host 1.2.{3,4} 10.1.2.0/24", "=" },
	{ SERVER, "only_from", "", "=" },
	{ SERVER, "no_access", "192.168.0.1 fe80::/10", "=" },
	{ SERVER "proxy_from = 10.0.0.1\n", "proxy_protocol", "any", "=" },
	{ SERVER, "proxy_protocol", "off", "=" },
	{ SERVER "proxy_protocol = v1\n", "proxy_from", "10.0.0.1 ::1 10.1.0.0/16", "=" },
	{ SERVER, "proxy_others", "direct", "=" },
	{ SERVER, "access_times", "8:00-17:30 22:00-24:00", "=" },
	{ SERVER, "proof_of_work", "5000", "=" },
	{ SERVER "proof_of_work = 1\n", "proof_of_work_time", "60", "=" },
	{ SENSOR "flags = SENSOR\n", "deny_time", "FOREVER", "=" },
	{ SERVER, "libwrap", "some-daemon", "=" },
	{ SERVER, "log_type", "SYSLOG daemon notice", "=" },
	{ SERVER, "log_type", "FILE /dev/null 100K 1M", "=" },
	{ SERVER, "log_on_success", "PID HOST EXIT DURATION USERID", "=" },
	{ REDIRECT "redirect = ::1 7002\n", "log_on_success", "TRAFFIC", "=" },
	{ SERVER, "log_on_failure", "", "=" },
	{ SERVER, "fold_failures", "10", "=" },
	{ SERVER, "banner", "/etc/hostname", "=" },
	{ SERVER, "banner_success", "/no/such/banner", "=" },
	{ SERVER, "banner_fail", "\"/tmp/a banner\"", "=" },
	{ SERVER, "env", "A=1 \"B=two words\" C=", "=" },
	{ SERVER, "passenv", "", "=" },
	{ SERVER, "session_env", "yes", "=" },
	{ SERVER, "placeholders", "yes", "=" },
	{ SERVER "placeholders = yes\n", "directory", "/srv/%client/%%", "=" },
	{ SERVER, "end_command", "/bin/sh -c \"exit 3\" \"#4\"", "=" },
	{ SERVER, "umask", "027", "=" },
	{ SERVER, "nice", "-5", "=" },
	{ SERVER, "rlimit_as", "512M", "=" },
	{ SERVER, "rlimit_cpu", "20", "=" },
	{ SERVER, "rlimit_data", "UNLIMITED", "=" },
	{ SERVER, "rlimit_rss", "1000", "=" },
	{ SERVER, "rlimit_stack", "8m", "=" },
	{ SERVER, "rlimit_files", "64", "=" },
	{ SERVER, "rlimit_nproc", "64", "=" },
	{ SERVER, "rlimit_fsize", "2G", "=" },
	{ SERVER, "rlimit_core", "0", "=" },
	{ SERVER, "rlimit_memlock", "64K", "=" },
	{ SERVER, "stderr", "/dev/null", "=" },
	{ SERVER, "stderr", "log", "=" },
	{ SERVER, "on_remove", "drain", "=" },
	{ SERVER, "memory", "64M", "=" },
	{ SERVER, "processes", "20", "=" },
	{ SERVER, "cpu", "150", "=" },
	{ SERVER, "root", "/", "=" },
	{ SERVER, "scratch", "/usr 16M /etc 64K", "=" },
	{ SERVER "root = /\n", "writable", "/usr /etc", "=" },
	{ SERVER, "proc", "yes", "=" },
	{ SERVER, "devices", "null zero", "=" },
	{ SERVER, "devices", "", "=" },
	{ SERVER, "directory", "/usr", "=" },
	{ SERVER, "network", "none", "=" },
	{ SERVER, "no_new_privs", "yes", "=" },
	{ SERVER, "capabilities", "CHOWN cap_kill", "=" },
	{ SERVER, "syscalls", "default +ptrace -@network", "=" },
	{ SERVER "allow_execute = /\n", "allow_read", "/etc -/no/such/file", "=" },
	{ SERVER "allow_execute = /\n", "allow_write", "", "=" },
	{ SERVER, "allow_execute", "/usr / -/lib", "=" },
	{ SERVER, "processes_at_exit", "kill", "=" },
#ifdef HAVE_LIBTIRPC
	{ RPC "type = RPC UNLISTED\nrpc_number = 200100\n", "rpc_version", "1-3", "=" },
	{ RPC "type = RPC UNLISTED\nrpc_version = 2\n", "rpc_number", "200100", "=" },
#endif
};

START_TEST(every_attribute_is_printed_and_loads_again)
{
	const char *name = attribute_rows[_i].attribute, *values = attribute_rows[_i].values;
	const char *line = attribute_rows[_i].printed, *text, *space;

	configure("service zzprinted\n{\n%s%s = %s\n}\n", attribute_rows[_i].service, name, values);
	text = printed();
	if (strcmp(line, "=") == 0)
		line = textf("%s %s", name, values);
	space = strchr(line, ' ');
	expect_line(text, textf("\t%-15.*s =%s", (int)(space - line), line, space[1] ? space : ""));
	expect_round_trip(text);
}
END_TEST

static bool has_a_row(const char *name)
{
	for (int i = 0; i < LENGTH(attribute_rows); i++)
		if (strcmp(attribute_rows[i].attribute, name) == 0)
			return true;
	return false;
}

START_TEST(no_attribute_is_forgotten_above)
{
	/* Retired attributes, and those that a build may lack. */
	static const char *const exempt = " mdns rpc_version rpc_number ";

	for (size_t i = 0; i < attribute_count; i++)
		ck_assert_msg(!(attributes[i].places & IN_SERVICE) ||
				      has_a_row(attributes[i].name) ||
				      strstr(exempt, textf(" %s ", attributes[i].name)),
			      "no row tries %s", attributes[i].name);
}
END_TEST

/* --- -print: the rest --- */

START_TEST(nothing_is_printed_of_nothing)
{
	ck_assert_str_eq(without_comments(printed()), "\n");
}
END_TEST

START_TEST(what_is_inherited_is_printed)
{
	const char *text;

	configure("service zzone\n{\n" SERVER "only_from += 10.0.0.1\nonly_from -= 127.0.0.0\n"
		  "log_on_success =\ninstances = 3\n}\n");
	configure("service zztwo\n{\ntype = UNLISTED\nport = 7002\nsocket_type = stream\n"
		  "wait = no\nuser = root\nserver = /bin/cat\n}\n");
	add_defaults("only_from = ::1 127.0.0.{1,2} 127.0.0.0/8\nlog_on_success = PID HOST\n"
		     "instances = 60\nbind = 127.0.0.1\numask = 077");
	text = printed();
	expect_line(text, "\tonly_from       = ::1 127.0.0.{1,2} 10.0.0.1");
	expect_line(text, "\tonly_from       = ::1 127.0.0.{1,2} 127.0.0.0/8");
	expect_line(text, "\tlog_on_success  =");
	expect_line(text, "\tlog_on_success  = PID HOST");
	expect_line(text, "\tinstances       = 3");
	expect_line(text, "\tinstances       = 60");
	ck_assert_uint_eq(text_count(text, "^\tbind            = 127\\.0\\.0\\.1$"), 2);
	ck_assert_uint_eq(text_count(text, "^\tumask           = 077$"), 2);
	ck_assert(!text_matches(text, "^defaults"));
	expect_round_trip(text);
}
END_TEST

START_TEST(a_shared_log_stays_shared)
{
	const char *text;

	add_defaults("log_type = FILE %s 10K 20K", place_path("shared.log"));
	configure("service zzone\n{\n" SERVER "bind = 127.0.0.1\n}\n");
	configure("service zztwo\n{\n" SERVER "bind = ::1\nlog_type = FILE %s 10K 20K\n}\n",
		  place_path("shared.log"));
	configure("service zzthree\n{\n" SERVER "bind = 127.0.0.2\n}\n");
	text = printed();
	ck_assert_msg(text_count(text, "^\tlog_type") == 2, "%s", text);
	ck_assert_msg(strstr(text, textf("\ndefaults\n{\n\tlog_type        = FILE %s 10K 20K\n}\n",
					 place_path("shared.log"))) != NULL,
		      "%s", text);
	expect_round_trip(text);
}
END_TEST

START_TEST(relative_paths_become_absolute)
{
	const char *text, *here = place_path("");

	place_script("server", "exit");
	place_write("map", "zzone 7001/tcp\n");
	configure("daemon\n{\nport_map = map \"%s\"\nstatus_file = \"a status\"\n}\n",
		  place_path("map"));
	configure("service zzone\n{\nsocket_type = stream\nwait = no\nuser = root\n"
		  "server = server\nlog_type = FILE log\nbanner = banner\nbanner_success = b/s\n"
		  "banner_fail = /f\n}\n");
	text = printed();
	expect_line(text, textf("\tserver          = %sserver", here));
	expect_line(text, textf("\tlog_type        = FILE %slog", here));
	expect_line(text, textf("\tbanner          = %sbanner", here));
	expect_line(text, textf("\tbanner_success  = %sb/s", here));
	expect_line(text, "\tbanner_fail     = /f");
	expect_line(text, textf("\tport_map        = %smap %smap", here, here));
	expect_line(text, textf("\tstatus_file     = \"%sa status\"", here));
	expect_round_trip(text);
}
END_TEST

START_TEST(what_is_switched_off_is_named_and_left_out)
{
	const char *text;

	add_defaults("disabled = zzlisted\nenabled = zzon zzlisted zzoff");
	configure("service zzon\n{\n" SERVER "}\n");
	configure("service zzelse\n{\n" SERVER "id = zzid\n}\n");
	configure("service zzlisted\n{\n" SERVER "}\n");
	configure("service zzoff\n{\ndisable = yes\n}\n");
	text = printed();
	ck_assert_uint_eq(text_count(text, "^service "), 1);
	expect_line(text, "service zzon");
	expect_line(text, textf("#   zzid (%s:%d): it is not among the enabled of defaults",
				configuration_path(), configuration_line("^service zzelse")));
	expect_line(text, textf("#   zzlisted (%s:%d): it is among the disabled of defaults",
				configuration_path(), configuration_line("^service zzlisted")));
	expect_line(text, textf("#   zzoff (%s:%d): disable = yes", configuration_path(),
				configuration_line("^service zzoff")));
	expect_round_trip(text);
}
END_TEST

START_TEST(what_is_broken_is_told_and_left_out)
{
	struct outcome outcome;

	configure("service zzon\n{\n" SERVER "}\n");
	configure("service zzbroken\n{\n" SERVER "instances = few\n}\n");
	configure("service zzlate\n{\n" SERVER "}\n");
	outcome = inspect("-print");
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_uint_eq(text_count(outcome.output, "^service "), 1);
	ck_assert_uint_eq(text_count(outcome.output, "^#   zzbroken .*: it has errors$"), 1);
	ck_assert_uint_eq(text_count(outcome.output,
				     "^#   zzlate .*: another service has its socket$"),
			  1);
	ck_assert_msg(text_matches(outcome.errors,
				   textf("^%s:%d: error: .*few", configuration_path(),
					 configuration_line("^instances"))),
		      "%s", outcome.errors);
}
END_TEST

/* It is meant for a machine with the program; here it loads as disabled. */
START_TEST(an_entry_without_its_program_is_printed_disabled)
{
	struct outcome outcome, again;
	const char *text;

	configure("service zzon\n{\n" SERVER "}\n");
	configure(
		"service zzabsent\n{\ndisable = no\nflags = NODELAY\ntype = UNLISTED\nport = 7001\n"
		"socket_type = stream\nwait = no\nuser = root\nserver = /no/such/program\n"
		"server_args = -x \"two words\"\n}\n");
	outcome = inspect("-print");
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.errors, "server: /no/such/program: No such file"), "%s",
		      outcome.errors);
	text = textf("%s", outcome.output);
	ck_assert_msg(text_matches(text, "^# zzabsent \\(.*:[0-9]+\\) is disabled: its program is "
					 "not there\\.$"),
		      "%s", text);
	ck_assert(!text_matches(text, "^# Left out"));
	ck_assert_uint_eq(text_count(text, "^\tdisable "), 1);
	expect_line(text, "service zzabsent\n{\n\tdisable         = yes");
	expect_line(text, "\tserver          = /no/such/program");
	expect_line(text, "\tserver_args     = -x \"two words\"");
	again = inspect_text("-check", text);
	ck_assert_msg(again.status == 0 && text_matches(again.output,
							"^1 service, 1 switched off, no problems$"),
		      "%s", again.output);
}
END_TEST

/* An entry with other errors, too, would not work there either. */
START_TEST(an_entry_with_other_errors_is_left_out)
{
	struct outcome outcome;

	configure("service zzabsent\n{\ninstances = few\ntype = UNLISTED\nport = 7001\n"
		  "socket_type = stream\nwait = no\nuser = root\nserver = /no/such/program\n}\n");
	outcome = inspect("-print");
	ck_assert(text_matches(outcome.output, "^#   zzabsent \\(.*\\): it has errors$"));
	ck_assert(!text_matches(outcome.output, "^service"));
}
END_TEST

START_TEST(retired_words_are_not_printed)
{
	const char *text;

	configure("service zzone\n{\n" SERVER "flags = REUSE NODELAY\n}\n");
	configure(
		"service zztwo\n{\ntype = UNLISTED\nport = 7002\nsocket_type = stream\nwait = no\n"
		"user = root\nserver = /bin/cat\nflags = reuse\nmdns = yes\n}\n");
	text = textf("%s", inspect("-print").output);
	expect_line(text, "\tflags           = NODELAY");
	ck_assert_uint_eq(text_count(text, "^\tflags"), 1);
	ck_assert(!strcasestr(text, "reuse") && !strstr(text, "mdns"));
	ck_assert_msg(text_matches(inspect_text("-check", text).output, "no problems$"), "%s",
		      text);
}
END_TEST

START_TEST(a_refused_load_prints_nothing)
{
	struct outcome outcome;

	add_defaults("instances = few");
	configure("service zzon\n{\n" SERVER "}\n");
	outcome = inspect("-print");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_eq(outcome.output, "");
	ck_assert(text_matches(outcome.errors, "error: .*few"));
}
END_TEST

START_TEST(output_that_is_lost_is_told)
{
	struct outcome outcome;

	run_by("exec \"$USHERD\" \"$@\" >/dev/full\n");
	configure("service zzon\n{\n" SERVER "}\n");
	outcome = inspect("-print");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_ne(outcome.errors, "");
}
END_TEST

/* Lines of inetd.conf from Linux systems and the BSDs. */
static const char inetd_conf[] = "# <service> <type> <proto> <wait> <user> <server> <args>\n"
				 "127.0.0.1:echo stream tcp nowait root internal\n"
				 "daytime dgram udp wait root internal\n"
				 "zzone stream tcp nowait.40 nobody:nogroup /bin/cat cat -u\n"
				 "zzone stream tcp6 nowait nobody.nogroup /bin/cat cat\n"
				 "7003 stream tcp4 nowait/10/60/3 root /bin/cat\n"
				 "zztwo dgram,5 udp wait root /bin/cat cat 'two words' \"#hash\"\n"
				 "tcpmux stream tcp nowait root internal\n"
				 "tcpmux/+zzmux stream tcp nowait root /bin/cat cat\n"
				 "[::1],127.0.0.3:zzthree stream tcp nowait root /bin/cat a\\b\n";

START_TEST(inetd_conf_is_printed_as_entries)
{
	const char *text;
	struct outcome outcome;

	own_etc_furnish();
	own_etc_write("inetd.conf", inetd_conf);
	place_write("map", "echo 7/tcp\ndaytime 13/udp\nzzone 7001/tcp\nzztwo 7002/udp\n"
			   "zzthree 7004/tcp\ntcpmux 1/tcp\n");
	configure("daemon\n{\nport_map = map\n}\n");
	configuration_write();
	outcome = daemon_run((const char *const[]){ "-inetd_compat", "-print", "-f",
						    configuration_path(), NULL });
	ck_assert_msg(outcome.status == 0 && outcome.errors[0] == '\0', "status %d: %s",
		      outcome.status, outcome.errors);
	text = textf("%s", outcome.output);
	ck_assert_msg(text_count(text, "^service ") == 9, "%s", text);
	expect_line(text, "\tid              = echo-stream");
	expect_line(text, "\tserver_args     = cat \"two words\" \"#hash\"");
	expect_line(text, "\tserver_args     = a\\b");
	expect_line(text, "\tcps             = 40/60 0");
	expect_line(text, "\tbind            = ::1 127.0.0.3");
	expect_line(text, "\tsource_cps      = 60/60 60");
	expect_round_trip(text);
}
END_TEST

START_TEST(a_name_that_would_be_a_comment_is_refused)
{
	struct outcome outcome;

	own_etc_furnish();
	own_etc_write("inetd.conf", "\"#odd\" stream tcp nowait root /bin/cat cat\n");
	configuration_write();
	outcome = daemon_run((const char *const[]){ "-inetd_compat", "-print", "-f",
						    configuration_path(), NULL });
	ck_assert_int_eq(outcome.status, 0);
	ck_assert(!text_matches(outcome.output, "^service"));
	ck_assert_msg(text_matches(outcome.errors,
				   "^/etc/inetd.conf:1: error: \"#odd\" is not the name"),
		      "%s", outcome.errors);
}
END_TEST

/* --- -check --- */

static const char *path_of(const char *name)
{
	return strcmp(name, "") == 0 ? configuration_path() : place_path(name);
}

/* A service that the test's user can run. */
static const char *own_service(const char *name, const char *lines)
{
	return textf("service %s\n{\ntype = UNLISTED\nport = 7001\nsocket_type = stream\n"
		     "wait = no\nuser = %s\nserver = /bin/cat\n%s}\n",
		     name, current_user(), lines);
}

/* Expects a finding on that line, of that severity. */
static void expect_finding(struct outcome outcome, const char *line, const char *severity,
			   const char *text)
{
	int number = configuration_line(line);

	ck_assert_msg(number > 0, "no line matches %s", line);
	ck_assert_msg(text_count(outcome.output, textf("^%s:%d: %s: .*%s", path_of(""), number,
						       severity, text)) == 1,
		      "not one %s \"%s\" about line %d, %s:\n%s%s", severity, text, number, line,
		      outcome.output, outcome.errors);
}

static unsigned count_findings(struct outcome outcome)
{
	return text_count(outcome.output, "^([^ ]*: )?(advice|warning|error): ");
}

START_TEST(a_good_configuration_gets_a_summary_alone)
{
	struct outcome outcome;

	add_service("zzgood", CAT "only_from = 127.0.0.1 ::1 10.0.0.0/8\nlog_on_failure = HOST\n");
	add_service("echo", "type = INTERNAL UNLISTED\nsocket_type = dgram\nbind = 127.0.0.1\n");
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_str_eq(outcome.errors, "");
	ck_assert_str_eq(outcome.output, "2 services, no problems\n");
	outcome = inspect("-check=json");
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_str_eq(outcome.output, "[]\n");
}
END_TEST

#define DGRAM "socket_type = dgram\nwait = yes\n"

/* Lines of a service, and a finding about one of them or about the entry. NULL: no
 * finding. */
static const struct {
	const char *lines, *line, *text;
} advice[] = {
	{ CAT "only_from = 10.0.0.0/8\nno_access = 10.1.0.0/16\n", "^no_access",
	  "10\\.1\\.0\\.0/16 overlaps only_from 10\\.0\\.0\\.0/8" },
	{ CAT "only_from = 10.1.0.0/16\nno_access = 10.0.0.0/8\n", "^no_access", "overlaps" },
	{ CAT "only_from = .example.org\nno_access = bad.example.org\n", "^no_access", "overlaps" },
	{ CAT "only_from = 10.0.0.0/8\nno_access = 192.168.0.1\n", "^no_access",
	  "192\\.168\\.0\\.1 never matters" },
	{ CAT "only_from = 10.0.0.0/8\nno_access = ::1\n", "^no_access", "::1 never matters" },
	{ CAT "only_from = .example.org\nno_access = 10.0.0.1\n", NULL, NULL },
	{ CAT "no_access = 10.0.0.1\n", NULL, NULL },
	{ CAT "only_from = 10.1.2\n", "^only_from",
	  "\"10\\.1\\.2\" is read as 10\\.1\\.0\\.2/32; if 10\\.1\\.2\\.0/24 is meant" },
	{ CAT "no_access = 10.1\n", "^no_access", "10\\.0\\.0\\.1/32; if 10\\.1\\.0\\.0/16" },
	{ CAT "only_from = 010.0.0.1\n", "^only_from", "8\\.0\\.0\\.1/32; if 10\\.0\\.0\\.1/32" },
	{ CAT "only_from = 0\n", NULL, NULL },
	{ CAT "only_from = 10.1.2.0 10.0.0.0\n", NULL, NULL },
	{ "server = /bin/echo\nserver_args = 3 # x\n", "^server_args", "\"#\" does not begin" },
	{ "server = /bin/echo\nserver_args = echo -n\n", "^server_args",
	  "\"echo\" as its first argument" },
	{ "server = /bin/echo\nserver_args = echo -n\nflags = NAMEINARGS\n", NULL, NULL },
	{ "server = /bin/echo\nserver_args = -n\nflags = NAMEINARGS\n", "^server_args",
	  "\"-n\" for its own name" },
	{ CAT DGRAM "only_from = 10.0.0.0/8\n", "^only_from", "datagram that starts the server" },
	{ CAT DGRAM "no_access = 10.0.0.0/8\n", "^no_access", "datagram that starts the server" },
	{ CAT DGRAM "only_from = 10.0.0.0/8\nflags = INTERCEPT\n", NULL, NULL },
	{ CAT "deny_time = 5\n", "^deny_time", "no effect without flags = SENSOR" },
	{ "type = INTERNAL UNLISTED\nflags = SENSOR\ndeny_time = 5\n", NULL, NULL },
	{ "type = INTERNAL UNLISTED\nsocket_type = dgram\nflags = SENSOR\n", NULL, NULL },
	{ "type = INTERNAL UNLISTED\nsocket_type = dgram\nflags = SENSOR\ndeny_time = 5\n",
	  "^deny_time", "only logs, as their senders may be forged; .* SENSOR DGRAMBAN" },
	{ "type = INTERNAL UNLISTED\nsocket_type = dgram\nflags = SENSOR DGRAMBAN\ndeny_time = 5\n",
	  "^flags", "forges the sender of a datagram can make all services" },
	{ "type = INTERNAL UNLISTED\nflags = SENSOR DGRAMBAN\ndeny_time = 5\n", "^flags",
	  "DGRAMBAN has no effect" },
	{ CAT "user = root\nrlimit_nproc = 9\n", "^rlimit_nproc",
	  "rlimit_nproc has no effect for root" },
	{ CAT "flags = DGRAMBAN\n", "^flags", "DGRAMBAN has no effect" },
	{ CAT "proxy_protocol = v1\nproxy_from = 0.0.0.0/0\n", "^proxy_from", "has everybody" },
	{ CAT "proxy_protocol = v1\nproxy_from = 10.0.0.1 ::/0\n", "^proxy_from", "has everybody" },
	{ CAT "proxy_from = 10.0.0.1\n", "^proxy_from", "no effect without proxy_protocol" },
	{ CAT "proxy_others = direct\n", "^proxy_others", "no effect without proxy_protocol" },
	{ CAT "flags = IDONLY\n", "^flags", "no effect without USERID" },
	{ CAT "flags = IDONLY\nlog_on_success = USERID\n", NULL, NULL },
	{ CAT "log_on_failure = USERID HOST\n", NULL, NULL },
	{ CAT "banner = /no/such/banner\n", "^banner", "can't be sent: No such file" },
	{ CAT "banner_fail = /etc/passwd\n", NULL, NULL },
	{ CAT "flags = REUSE\n", "^flags", "REUSE is retired" },
	{ CAT "pty = yes\n", "^pty", "does not notice that its client has closed" },
	{ CAT "pty = yes\nidle_timeout = 60\n", NULL, NULL },
	{ CAT "pty = eof\n", NULL, NULL },
};

START_TEST(advice_is_given)
{
	struct outcome outcome;

	add_service("zzservice", "%s", advice[_i].lines);
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 0);
	if (advice[_i].line)
		expect_finding(outcome, advice[_i].line, "advice", advice[_i].text);
	ck_assert_msg(count_findings(outcome) == (advice[_i].line != NULL), "row %d:\n%s", _i,
		      outcome.output);
	ck_assert_msg(text_matches(outcome.output, advice[_i].line
							   ? "^1 service: 1 piece of advice$"
							   : "^1 service, no problems$"),
		      "row %d:\n%s", _i, outcome.output);
}
END_TEST

/* A built-in on UDP, and whether forged datagrams can send its answers to a victim. */
static const struct {
	const char *name, *lines;
	bool reflects;
} built_ins[] = {
	{ "echo", "", true },
	{ "chargen", "", true },
	{ "daytime", "no_access = 10.0.0.1\n", true },
	{ "time", "bind = 127.0.0.1 10.0.0.1\n", true },
	{ "time", "only_from = 0.0.0.0/0 ::/0\n", true },
	{ "time", "bind = some.host.example\n", true },
	{ "discard", "", false },
	{ "echo", "bind = 127.0.0.1 ::1\n", false },
	{ "echo", "bind = localhost\n", false },
	{ "echo", "only_from = 10.0.0.0/8\n", false },
	{ "echo", "flags = SENSOR\n", false },
};

START_TEST(reflecting_built_ins_are_pointed_out)
{
	struct outcome outcome;

	add_service(built_ins[_i].name, "type = INTERNAL UNLISTED\nsocket_type = dgram\n%s",
		    built_ins[_i].lines);
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_count(outcome.output, "advice: .*a forged sender") ==
			      built_ins[_i].reflects,
		      "row %d: %s", _i, outcome.output);
	ck_assert_uint_eq(count_findings(outcome), built_ins[_i].reflects);
}
END_TEST

START_TEST(what_is_inherited_is_said_once)
{
	struct outcome outcome;

	add_defaults("only_from = 10.1.2 10.0.0.0/8\nno_access = 10.2.0.0 192.168.0.0");
	for (int i = 0; i < 5; i++)
		add_service(textf("zz%d", i), i < 4 ? CAT : CAT "only_from += 127.0.0.1\n");
	outcome = inspect("-check");
	expect_finding(outcome, "^only_from = 10", "advice", "\"10\\.1\\.2\" is read");
	expect_finding(outcome, "^no_access", "advice", "overlaps");
	expect_finding(outcome, "^no_access", "advice", "never matters");
	ck_assert_msg(text_matches(outcome.output, "^5 services: 3 pieces of advice$"), "%s",
		      outcome.output);
}
END_TEST

START_TEST(ids_that_no_service_has_are_pointed_out)
{
	struct outcome outcome;

	add_defaults("enabled = zzone zztow zzoff\ndisabled = nothing-like-it zzone-dgram\n");
	add_service("zzone", CAT);
	add_service("zztwo", CAT);
	add_service("zzone", CAT DGRAM "id = zzone-dgram\n");
	add_service("zzoff", "disable = yes\n");
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 0);
	expect_finding(outcome, "^enabled", "advice", "\"zztow\"; did you mean \"zztwo\"");
	expect_finding(outcome, "^disabled", "advice", "no service has the id \"nothing-like-it\"");
	ck_assert_msg(text_matches(outcome.output,
				   "^1 service, 3 switched off: 2 pieces of advice$"),
		      "%s", outcome.output);
}
END_TEST

START_TEST(a_service_whose_log_was_forgotten_is_pointed_out)
{
	struct outcome outcome;

	add_service("zzone", CAT "log_type = SYSLOG daemon\nlog_on_success = PID\n");
	add_service("zztwo", CAT);
	add_service("zzthree", CAT "log_on_failure = HOST # here\n");
	outcome = inspect("-check");
	expect_finding(outcome, "# here", "advice", "without a log_type");
	ck_assert_uint_eq(count_findings(outcome), 1);
}
END_TEST

START_TEST(files_that_includedir_passes_over_are_pointed_out)
{
	struct outcome outcome;

	ck_assert_int_eq(mkdir(place_path("drop-ins"), 0755), 0);
	place_write("drop-ins/name.bak", "nonsense\n");
	place_write("drop-ins/name.conf", "nonsense\n");
	place_write("drop-ins/name~", "nonsense\n");
	place_write("drop-ins/.hidden", "nonsense\n");
	place_write("drop-ins/name", "%s", own_service("zzone", ""));
	configure("# one\nincludedir drop-ins\n");
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 0);
	expect_finding(outcome, "^includedir", "advice", "name\\.bak is not read");
	expect_finding(outcome, "^includedir", "advice", "name\\.conf is not read");
	expect_finding(outcome, "^includedir", "advice", "name~ is not read");
	ck_assert_uint_eq(count_findings(outcome), 3);
}
END_TEST

START_TEST(errors_come_by_file_and_line)
{
	struct outcome outcome;
	const char *a = place_path("a"), *b = place_path("b");

	configure("include b\ninclude a\n");
	place_write("a", "%s", own_service("zza", "instances = few\nnice = low\ncps = 1\n"));
	place_write("b", "%s%s", own_service("zzb", "only_from = 1.2.3\nport = x\n"),
		    own_service("zzb", ""));
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.output,
				   textf("^%s:9: error: instances: .*\n%s:10: error: .*\n"
					 "%s:11: error: .*\n%s:9: .*",
					 a, a, a, b)),
		      "%s", outcome.output);
	ck_assert_msg(text_matches(outcome.output, "^1 service, 2 not to be started: 4 errors, "
						   "1 warning, 1 piece of advice$"),
		      "%s", outcome.output);
}
END_TEST

START_TEST(an_error_in_defaults_refuses_everything)
{
	struct outcome outcome;

	add_defaults("instances = few");
	add_service("zzone", CAT);
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 1);
	expect_finding(outcome, "^instances", "error", "few");
	ck_assert_msg(text_matches(outcome.output, "^refused as a whole: 1 error$"), "%s",
		      outcome.output);
}
END_TEST

/* Errors: each has its line and a remedy. */
static const struct {
	const char *lines, *line, *text;
} errors[] = {
	{ "server = /no/such/server\n", "^server", "/no/such/server: No such file" },
	{ CAT "log_type = FILE /no/such/directory/log\n", "^log_type",
	  "/no/such/directory/log: No such file" },
	{ CAT "wait = yes\nonly_from = 10.0.0.1\n", "^service",
	  "use wait = no, or flags = INTERCEPT" },
	{ CAT "type = SPECIAL\n", "^service", "not in the port map; write type = UNLISTED" },
	{ CAT "instanses = 5\n", "^instanses", "did you mean \"instances\"" },
};

START_TEST(errors_have_a_line_and_a_remedy)
{
	struct outcome outcome;

	add_service("zzservice", "%s", errors[_i].lines);
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 1);
	expect_finding(outcome, errors[_i].line, "error", errors[_i].text);
}
END_TEST

START_TEST(two_services_on_one_socket_are_an_error)
{
	struct outcome outcome;
	int port = add_service("zzone", CAT);

	add_service("zztwo", CAT "port = %d\n", port);
	outcome = inspect("-check");
	ck_assert_int_eq(outcome.status, 1);
	expect_finding(outcome, "^service zztwo", "error", "belongs to service zzone already");
}
END_TEST

/* --- -check: can the server be run? --- */

static void expect_server_advice(const char *server, const char *text)
{
	struct outcome outcome;

	configuration_clear();
	add_service("zzservice", "user = nobody\nserver = %s\n", server);
	outcome = inspect("-check");
	ck_assert_msg(outcome.status == 0, "%s", outcome.output);
	if (text)
		expect_finding(outcome, "^server", "advice", text);
	ck_assert_msg(count_findings(outcome) == (text != NULL), "%s", outcome.output);
}

START_TEST(a_server_that_its_user_cannot_run_is_pointed_out)
{
	const char *script = place_script("script", "exit");

	if (!is_superuser())
		return;
	expect_server_advice(script, NULL);
	ck_assert_int_eq(chmod(script, 0744), 0);
	expect_server_advice(script, textf("nobody may not execute %s \\(mode 0744\\)", script));
	ck_assert_int_eq(chmod(script, 0755), 0);
	ck_assert_int_eq(mkdir(place_path("closed"), 0700), 0);
	ck_assert_int_eq(rename(script, place_path("closed/script")), 0);
	expect_server_advice(place_path("closed/script"),
			     textf("nobody may not enter %s \\(mode 0700\\)",
				   place_path("closed")));
	ck_assert_int_eq(symlink("closed/script", place_path("link")), 0);
	expect_server_advice(place_path("link"), "nobody may not enter .*/closed ");
}
END_TEST

START_TEST(an_end_command_that_its_user_cannot_run_is_pointed_out)
{
	const char *script = place_script("script", "exit");
	struct outcome outcome;

	if (!is_superuser())
		return;
	add_service("zzservice", "user = nobody\n" CAT "end_command = %s x\n", script);
	outcome = inspect("-check");
	ck_assert_msg(count_findings(outcome) == 0, "%s", outcome.output);
	ck_assert_int_eq(chmod(script, 0744), 0);
	expect_finding(inspect("-check"), "^end_command", "advice",
		       textf("nobody may not execute %s \\(mode 0744\\); end_command can't be run",
			     script));
	ck_assert_int_eq(unlink(script), 0);
	expect_finding(inspect("-check"), "^end_command", "error",
		       textf("end_command: %s: No such file or directory", script));
}
END_TEST

static const char *program_of(const char *name, const char *text)
{
	const char *path = place_path(name);

	place_write(name, "%s", text);
	ck_assert_int_eq(chmod(path, 0755), 0);
	return path;
}

START_TEST(a_server_without_an_interpreter_is_pointed_out)
{
	if (!is_superuser())
		return;
	expect_server_advice(program_of("one", "#!/no/such/shell -e\n"),
			     "there is no /no/such/shell, which .*/one names as its interpreter");
	expect_server_advice(program_of("two", "#!/bin/sh\r\necho\r\n"),
			     "there is no /bin/sh, .* with a carriage return after it");
	expect_server_advice(program_of("three", "echo hello\n"), "three is no program");
	expect_server_advice(program_of("four", "#! /usr/bin/env sh\n"), NULL);
}
END_TEST

START_TEST(another_user_gets_no_nonsense)
{
	struct outcome outcome;

	if (!is_superuser())
		return;
	run_by(textf("cp \"$USHERD\" %s\nexec setpriv --reuid=nobody --regid=nogroup "
		     "--clear-groups %s \"$@\"\n",
		     place_path("copy"), place_path("copy")));
	add_service("zzone", CAT);
	add_service("zztwo", CAT "user = nobody\n");
	add_service("zzthree", CAT "user = daemon\nbanner = /etc/passwd\n");
	outcome = inspect("-check");
	ck_assert_msg(outcome.status == 0, "%s%s", outcome.output, outcome.errors);
	ck_assert_msg(count_findings(outcome) == 1, "%s", outcome.output);
	ck_assert_msg(text_matches(outcome.output,
				   "^advice: usherd does not run as root, so 2 servers "),
		      "%s", outcome.output);
}
END_TEST

/* --- -check=json --- */

START_TEST(json_says_the_same)
{
	struct outcome outcome;

	add_service("zzone", CAT "nice = low\n");
	outcome = inspect("-check=json");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_eq(outcome.errors, "");
	ck_assert_str_eq(outcome.output,
			 textf("[\n  {\"severity\": \"error\", \"file\": \"%s\", \"line\": %d, "
			       "\"text\": \"nice: \\\"low\\\" is not a priority from -20 to "
			       "19\"}\n]\n",
			       configuration_path(), configuration_line("^nice")));
}
END_TEST

/* A file name, and its form in JSON. */
static const struct {
	const char *name, *json;
} json_names[] = {
	{ "plain", "plain" },
	{ "a\"b\\c", "a\\\"b\\\\c" },
	{ "tab\tone", "tab\\u0009one" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "latin\xe4", "latin\\ufffd" },
	{ "\xc0\xaf\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "short\xe2\x82", "short\\ufffd\\ufffd" },
	{ "\x7f", "\\u007f" },
};

START_TEST(json_is_utf8_whatever_files_are_called)
{
	struct outcome outcome;

	ck_assert_int_eq(mkdir(place_path("names"), 0755), 0);
	place_write(textf("names/%s", json_names[_i].name), "service\n");
	configure("includedir names\n");
	outcome = inspect("-check=json");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(strstr(outcome.output,
			     textf("names/%s\", \"line\": 1,", json_names[_i].json)) != NULL,
		      "%s", outcome.output);
}
END_TEST

START_TEST(json_gives_what_is_in_no_file_null)
{
	struct outcome outcome =
		daemon_run((const char *const[]){ "-check=json", "-f", "/no/such/file", NULL });

	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_eq(outcome.output, "[\n  {\"severity\": \"error\", \"file\": null, "
					 "\"line\": 0, \"text\": "
					 "\"/no/such/file: No such file or directory\"}\n]\n");
}
END_TEST

/* --- -explain --- */

static struct outcome explain(const char *service, const char *address, const char *when)
{
	configuration_write();
	return daemon_run((const char *const[]){ "-f", configuration_path(), "-explain", service,
						 address, when, NULL });
}

static void expect_answer(struct outcome outcome, int status, const char *text)
{
	ck_assert_msg(outcome.status == status, "status %d: %s%s", outcome.status, outcome.output,
		      outcome.errors);
	ck_assert_msg(text_matches(outcome.output, text), "nothing like /%s/ in\n%s%s", text,
		      outcome.output, outcome.errors);
	ck_assert_str_eq(outcome.errors, "");
}

#define PROXIED "proxy_protocol = v2\nproxy_from = 192.0.2.0/24\n"

/* LINE stands for the number of the line that begins with the word before it. */
static const struct {
	const char *lines, *address, *when;
	bool is_admitted;
	const char *text;
} explained[] = {
	{ "", "10.0.0.1", NULL, true, "neither only_from nor no_access is set" },
	{ "only_from = 10.0.0.0/8\n", "10.0.0.1", NULL, true,
	  "^ +only_from 10\\.0\\.0\\.0/8 \\(.*:LINE\\) covers it$" },
	{ "only_from = 10.0.0.0/8\n", "11.0.0.1", NULL, false,
	  "^ +only_from \\(.*:LINE\\) does not cover it$" },
	{ "only_from =\n", "11.0.0.1", NULL, false, "^ +only_from \\(.*:LINE\\) is empty$" },
	{ "no_access = 10.0.0.0/8\n", "10.0.0.1", NULL, false,
	  "^ +no_access 10\\.0\\.0\\.0/8 \\(.*:LINE\\) covers it$" },
	{ "no_access = 10.0.0.0/8\n", "11.0.0.1", NULL, true,
	  "^ +no_access \\(.*:LINE\\) does not cover it$" },
	{ "only_from = 10.0.0.0/8\nno_access = 10.1.0.0\n", "10.1.2.3", NULL, false,
	  "^ +no_access 10\\.1\\.0\\.0 \\(.*:LINE\\) is more specific than "
	  "only_from 10\\.0\\.0\\.0/8 " },
	{ "only_from = 10.1.2.3\nno_access = 10.1.0.0\n", "10.1.2.3", NULL, true,
	  "^ +only_from 10\\.1\\.2\\.3 \\(.*:LINE\\) is more specific than "
	  "no_access 10\\.1\\.0\\.0 " },
	{ "only_from = 10.1.2.3\nno_access = 10.1.2.3\n", "10.1.2.3", NULL, false,
	  "^ +no_access 10\\.1\\.2\\.3 \\(.*:LINE\\) is as specific as only_from .* a tie denies" },
	{ "only_from = 10.1.2.3\n", "::ffff:10.1.2.3", NULL, true,
	  ": 10\\.1\\.2\\.3 would be admitted$" },
	{ "only_from = fe80::/10\n", "fe80::1", NULL, true, "only_from fe80::/10 .* covers it" },
	{ "only_from = localhost\n", "127.0.0.1", NULL, true,
	  "^ +the address has the name (.* and )?localhost( and .*)?$" },
	{ "only_from = localhost\n", "127.0.0.1", NULL, true, "only_from localhost .* covers it" },
	{ "no_access = localhost\n", "127.0.0.1", NULL, false, "no_access localhost .* covers it" },
	{ "access_times = 8:00-17:30\n", "10.0.0.1", "8:00", true,
	  "^ +access_times \\(.*:LINE\\) 8:00-17:30 includes 8:00$" },
	{ "access_times = 8:00-17:30\n", "10.0.0.1", "17:31", false,
	  "would be refused \\(time\\)\n(.*\n)* +access_times \\(.*:LINE\\) 8:00-17:30 "
	  "does not include 17:31$" },
	{ "access_times = 8:00-9:00 22:00-6:00\n", "10.0.0.1", "5:59", true,
	  "22:00-6:00 includes 5:59$" },
	{ "access_times = 0:00-23:59\n", "10.0.0.1", NULL, true, "which it is now$" },
	{ "proof_of_work = 5\n", "10.0.0.1", NULL, true,
	  "^ +proof_of_work \\(.*:LINE\\) is 5: it must solve a puzzle first$" },
	{ "proof_of_work = 5\nproof_of_work_time = 60\n", "10.0.0.1", NULL, true,
	  "it must solve a puzzle first, once in 60 seconds$" },
	{ "max_load = 9999\n", "10.0.0.1", NULL, true, "^ +max_load \\(.*:LINE\\) is 9999, and" },
	{ "instances = 0\n", "10.0.0.1", NULL, false, "instances \\(.*:LINE\\) is 0, so nobody" },
	{ "per_source = 0\n", "10.0.0.1", NULL, false, "would be refused \\(per_source_limit\\)" },
	{ "instances = 7\nper_source = 5\ncps = 9/30 8\nsource_cps = 3 4\n", "10.0.0.1", NULL, true,
	  "^ +limits that apply: source_cps 3 4 \\(.*\\), cps 9/30 8 \\(.*\\), "
	  "instances 7 \\(.*:LINE\\), per_source 5 \\(.*\\)$" },
	{ "", "10.0.0.1", NULL, true, "limits that apply: cps 50 10$" },
	{ "flags = IPv4\n", "::1", NULL, false, "no IPv6 socket" },
	{ "v6only = yes\n", "10.0.0.1", NULL, false, "no IPv4 socket" },
	{ "bind = 127.0.0.1\n", "::1", NULL, false, "would be refused \\(out of reach\\)" },
	{ "bind = 127.0.0.1 ::1\n", "::1", NULL, true, "would be admitted" },
	{ "bind = ::\n", "127.0.0.1", NULL, true, "would be admitted" },
	{ "wait = yes\n", "10.0.0.1", NULL, true, "accepts its clients itself" },
	{ "wait = yes\nflags = INTERCEPT\nonly_from = 10.0.0.2\n", "10.0.0.1", NULL, false,
	  "does not cover it" },
	{ "socket_type = dgram\nonly_from = 10.0.0.2\n", "10.0.0.1", NULL, false,
	  "datagram that starts the server" },
	{ "flags = IDONLY\nlog_on_success = USERID\n", "10.0.0.1", NULL, true, "IDONLY" },
	{ "type = INTERNAL UNLISTED\nflags = SENSOR\ndeny_time = FOREVER\n", "10.0.0.1", NULL, true,
	  "SENSOR, which serves nobody: .* for ever$" },
	{ "type = INTERNAL UNLISTED\nsocket_type = dgram\nflags = SENSOR\ndeny_time = 5\n",
	  "10.0.0.1", NULL, true, "SENSOR, which serves nobody and bans nobody$" },
	{ "type = INTERNAL UNLISTED\nsocket_type = dgram\nflags = SENSOR DGRAMBAN\ndeny_time = 5\n",
	  "10.0.0.1", NULL, true, "SENSOR, which serves nobody: .* for 5 minutes$" },
	{ "type = TCPMUX UNLISTED\nport = 0\n", "10.0.0.1", NULL, true, "reached through tcpmux" },
	{ PROXIED "no_access = 10.0.0.1\n", "10.0.0.1", NULL, false,
	  "^ +as a client of a balancer of proxy_from \\(.*\\); a connection of its own would be "
	  "refused \\(proxy_others = refuse\\):$" },
	{ PROXIED "only_from = 10.0.0.1\n", "10.0.0.1", NULL, true,
	  "only_from 10.0.0.1 .* covers" },
	{ PROXIED "proxy_others = direct\n", "10.0.0.1", NULL, true,
	  "proxy_from \\(.*\\), or by a connection of its own:$" },
	{ PROXIED, "192.0.2.1", NULL, true,
	  "^ +proxy_from 192\\.0\\.2\\.0/24 \\(.*:LINE\\) has it for a balancer: .* version 2, " },
};

/* Replaces LINE by the number of that attribute's line. */
static const char *with_line(const char *text)
{
	const char *mark = strstr(text, "LINE");
	char name[32];
	const char *start = text;

	if (!mark)
		return text;
	for (const char *c = text; c < mark; c++)
		if (strncmp(c, " +", 2) == 0 || strncmp(c, ", ", 2) == 0)
			start = c + 2;
	ck_assert_int_eq(sscanf(start, "%31[a-z_]", name), 1);
	return textf("%.*s%d%s", (int)(mark - text), text, configuration_line(textf("^%s", name)),
		     mark + 4);
}

START_TEST(who_is_admitted_is_explained)
{
	struct outcome outcome;

	add_service("zzservice", "%s%s", strstr(explained[_i].lines, "INTERNAL") ? "" : CAT,
		    explained[_i].lines);
	outcome = explain("zzservice", explained[_i].address, explained[_i].when);
	expect_answer(outcome, !explained[_i].is_admitted, with_line(explained[_i].text));
	ck_assert_msg(text_matches(outcome.output,
				   textf("^zzservice \\(%s:%d\\).* would be %s",
					 configuration_path(), configuration_line("^service"),
					 explained[_i].is_admitted ? "admitted$"
								   : "refused \\(.*\\)$")),
		      "row %d: %s", _i, outcome.output);
}
END_TEST

START_TEST(an_inherited_rule_is_named_where_it_stands)
{
	add_defaults("only_from = 10.0.0.0/8\ninstances = 5");
	add_service("zzservice", CAT);
	expect_answer(explain("zzservice", "10.0.0.1", NULL), 0,
		      textf("only_from 10\\.0\\.0\\.0/8 \\(.*:%d\\) covers",
			    configuration_line("^only_from")));
	expect_answer(explain("zzservice", "10.0.0.1", NULL), 0,
		      textf("instances 5 \\(.*:%d\\)", configuration_line("^instances")));
}
END_TEST

START_TEST(every_service_of_the_name_is_explained)
{
	struct outcome outcome;

	add_service("zzservice", CAT "id = zzone\n");
	add_service("zzservice", CAT "id = zztwo\nno_access = 10.0.0.1\n");
	outcome = explain("ZZservice", "10.0.0.1", NULL);
	expect_answer(outcome, 1, "^zzone .*admitted$");
	expect_answer(outcome, 1, "^zztwo .*refused \\(address\\)$");
	expect_answer(explain("zzservice", "10.0.0.2", NULL), 0, "^zztwo .*admitted$");
	outcome = explain("zzone", "10.0.0.1", NULL);
	expect_answer(outcome, 0, "^zzone .*admitted$");
	ck_assert(!text_matches(outcome.output, "zztwo"));
}
END_TEST

#ifdef HAVE_LIBWRAP
START_TEST(hosts_allow_and_hosts_deny_are_asked)
{
	own_etc_furnish();
	own_etc_write("hosts.allow", "cat: 10.0.0.3\n");
	own_etc_write("hosts.deny", textf("cat: 10.0.0.1: spawn /bin/touch %s\n"
					  "cat: 10.0.0.2 10.0.0.3\n",
					  place_path("spawned")));
	add_service("zzservice", CAT);
	add_service("zznot", CAT "flags = NOLIBWRAP\n");
	expect_answer(explain("zzservice", "10.0.0.2", NULL), 1, "refused \\(libwrap\\)$");
	expect_answer(explain("zzservice", "10.0.0.3", NULL), 0, "admit it, asked for cat$");
	expect_answer(explain("zznot", "10.0.0.2", NULL), 0, "admitted$");
	expect_answer(explain("zzservice", "10.0.0.1", NULL), 1, "refused \\(libwrap\\)$");
	ck_assert_msg(access(place_path("spawned"), F_OK) < 0, "a rule's command was run");
}
END_TEST
#endif

START_TEST(what_does_not_run_is_named)
{
	add_service("zzbroken", CAT "instances = few\n");
	add_service("zzoff", CAT "disable = yes\n");
	expect_answer(explain("zzbroken", "10.0.0.1", NULL), 1,
		      "^zzbroken .*is not started: it has errors$");
	expect_answer(explain("zzoff", "10.0.0.1", NULL), 1,
		      "^zzoff .*is not started: disable = yes$");
}
END_TEST

/* Wrong arguments of -explain, and the error. */
static const struct {
	const char *service, *address, *when, *text;
} unanswerable[] = {
	{ "zzservise", "10.0.0.1", NULL, "no service zzservise; did you mean zzservice\\?" },
	{ "else", "10.0.0.1", NULL, "no service else$" },
	{ "zzservice", "localhost", NULL, "\"localhost\" is not an address; .*getent" },
	{ "zzservice", "10.0.0.256", NULL, "\"10\\.0\\.0\\.256\" is not an address" },
	{ "zzservice", "10.0.0", NULL, "is not an address" },
	{ "zzservice", "10.0.0.1", "noon", "\"noon\" is not a time" },
	{ "zzservice", "10.0.0.1", "24:00", "\"24:00\" is not a time" },
	{ "zzservice", "10.0.0.1", "8:60", "is not a time" },
	{ "zzservice", "10.0.0.1", "8:300", "is not a time" },
	{ "zzservice", "10.0.0.1", "-8:30", "" },
	{ "zzservice", "10.0.0.1", "", "is not a time" },
};

START_TEST(what_cannot_be_answered_is_an_error)
{
	struct outcome outcome;

	add_service("zzservice", CAT);
	outcome =
		explain(unanswerable[_i].service, unanswerable[_i].address, unanswerable[_i].when);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_eq(outcome.output, "");
	ck_assert_msg(text_matches(outcome.errors, unanswerable[_i].text), "row %d: %s", _i,
		      outcome.errors);
	ck_assert_str_ne(outcome.errors, "");
}
END_TEST

START_TEST(a_refused_load_explains_nothing)
{
	struct outcome outcome;

	add_defaults("instances = few");
	add_service("zzservice", CAT);
	outcome = explain("zzservice", "10.0.0.1", NULL);
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_eq(outcome.output, "");
	ck_assert_msg(text_matches(outcome.errors, "error: .*few"), "%s", outcome.errors);
}
END_TEST

static void add_print_tests(Suite *suite)
{
	TCase *print = daemon_tcase(suite, "print");

	tcase_add_loop_test(print, every_attribute_is_printed_and_loads_again, 0,
			    LENGTH(attribute_rows));
	tcase_add_test(print, no_attribute_is_forgotten_above);
	tcase_add_test(print, nothing_is_printed_of_nothing);
	tcase_add_test(print, what_is_inherited_is_printed);
	tcase_add_test(print, a_shared_log_stays_shared);
	tcase_add_test(print, relative_paths_become_absolute);
	tcase_add_test(print, what_is_switched_off_is_named_and_left_out);
	tcase_add_test(print, what_is_broken_is_told_and_left_out);
	tcase_add_test(print, an_entry_without_its_program_is_printed_disabled);
	tcase_add_test(print, an_entry_with_other_errors_is_left_out);
	tcase_add_test(print, retired_words_are_not_printed);
	tcase_add_test(print, a_refused_load_prints_nothing);
	tcase_add_test(print, output_that_is_lost_is_told);
	if (is_superuser() && own_etc_is_allowed()) {
		tcase_add_test(print, inetd_conf_is_printed_as_entries);
		tcase_add_test(print, a_name_that_would_be_a_comment_is_refused);
	}
}

static void add_check_tests(Suite *suite)
{
	TCase *check = daemon_tcase(suite, "check");

	tcase_add_test(check, a_good_configuration_gets_a_summary_alone);
	tcase_add_loop_test(check, advice_is_given, 0, LENGTH(advice));
	tcase_add_loop_test(check, reflecting_built_ins_are_pointed_out, 0, LENGTH(built_ins));
	tcase_add_test(check, what_is_inherited_is_said_once);
	tcase_add_test(check, ids_that_no_service_has_are_pointed_out);
	tcase_add_test(check, a_service_whose_log_was_forgotten_is_pointed_out);
	tcase_add_test(check, files_that_includedir_passes_over_are_pointed_out);
	tcase_add_test(check, errors_come_by_file_and_line);
	tcase_add_test(check, an_error_in_defaults_refuses_everything);
	tcase_add_loop_test(check, errors_have_a_line_and_a_remedy, 0, LENGTH(errors));
	tcase_add_test(check, two_services_on_one_socket_are_an_error);
	tcase_add_test(check, a_server_that_its_user_cannot_run_is_pointed_out);
	tcase_add_test(check, an_end_command_that_its_user_cannot_run_is_pointed_out);
	tcase_add_test(check, a_server_without_an_interpreter_is_pointed_out);
	tcase_add_test(check, another_user_gets_no_nonsense);
}

static void add_json_tests(Suite *suite)
{
	TCase *json = daemon_tcase(suite, "json");

	tcase_add_test(json, json_says_the_same);
	tcase_add_loop_test(json, json_is_utf8_whatever_files_are_called, 0, LENGTH(json_names));
	tcase_add_test(json, json_gives_what_is_in_no_file_null);
}

static void add_explain_tests(Suite *suite)
{
	TCase *explanations = daemon_tcase(suite, "explain");

	tcase_add_loop_test(explanations, who_is_admitted_is_explained, 0, LENGTH(explained));
	tcase_add_test(explanations, an_inherited_rule_is_named_where_it_stands);
	tcase_add_test(explanations, every_service_of_the_name_is_explained);
#ifdef HAVE_LIBWRAP
	if (is_superuser() && own_etc_is_allowed())
		tcase_add_test(explanations, hosts_allow_and_hosts_deny_are_asked);
#endif
	tcase_add_test(explanations, what_does_not_run_is_named);
	tcase_add_loop_test(explanations, what_cannot_be_answered_is_an_error, 0,
			    LENGTH(unanswerable));
	tcase_add_test(explanations, a_refused_load_explains_nothing);
}

Suite *inspect_suite(void)
{
	Suite *suite = suite_create("inspect");

	add_print_tests(suite);
	add_check_tests(suite);
	add_json_tests(suite);
	add_explain_tests(suite);
	return suite;
}
