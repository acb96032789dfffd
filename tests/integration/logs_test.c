/* Log lines about connections, every byte, and where they go. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- lines of success --- */

/* The lines of one connection with each set of flags; NULL: no line. */
static const struct {
	const char *flags, *start, *exit;
} successes[] = {
	{ "", NULL, NULL },
	{ "PID", "START: zzlog pid=[0-9]+", NULL },
	{ "HOST", "START: zzlog from=127\\.0\\.0\\.1", NULL },
	{ "HOST PID", "START: zzlog pid=[0-9]+ from=127\\.0\\.0\\.1", NULL },
	{ "EXIT", "START: zzlog", "EXIT: zzlog status=0" },
	{ "DURATION", "START: zzlog", "EXIT: zzlog duration=[0-9]+\\(sec\\)" },
	{ "PID EXIT", "START: zzlog pid=[0-9]+", "EXIT: zzlog status=0 pid=[0-9]+" },
	{ "PID DURATION", "START: zzlog pid=[0-9]+",
	  "EXIT: zzlog pid=[0-9]+ duration=[0-9]+\\(sec\\)" },
	{ "DURATION EXIT HOST PID", "START: zzlog pid=[0-9]+ from=127\\.0\\.0\\.1",
	  "EXIT: zzlog status=0 pid=[0-9]+ duration=[0-9]+\\(sec\\)" },
	{ "REASON", "START: zzlog", "EXIT: zzlog reason=exit" },
	{ "SESSION", "START: zzlog session=[0-9a-f]+-1", "EXIT: zzlog session=[0-9a-f]+-1" },
	{ "SESSION HOST EXIT REASON", "START: zzlog from=127\\.0\\.0\\.1 session=[0-9a-f]+-1",
	  "EXIT: zzlog status=0 reason=exit session=[0-9a-f]+-1" },
	{ "REASON EXIT DURATION", "START: zzlog",
	  "EXIT: zzlog status=0 duration=[0-9]+\\(sec\\) reason=exit" },
	{ "pid exit", "START: zzlog pid=[0-9]+", "EXIT: zzlog status=0 pid=[0-9]+" },
};

START_TEST(success_is_logged_as_asked)
{
	int port = add_service("zzlog", HELLO "%s\nlog_on_success = %s\n", log_to_service_log(),
			       successes[_i].flags);
	int lines = 0;

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	wait_until(process_children(daemon_pid()) == 0);
	daemon_stop();
	if (successes[_i].start)
		lines += (int)text_count(service_log(), textf(LOG_TIME "%s$", successes[_i].start));
	if (successes[_i].exit)
		lines += (int)text_count(service_log(), textf(LOG_TIME "%s$", successes[_i].exit));
	ck_assert_msg(lines == !!successes[_i].start + !!successes[_i].exit &&
			      (int)text_count(service_log(), "\n") == lines,
		      "\"%s\" gives\n%s", successes[_i].flags, service_log());
}
END_TEST

/* A program's own children count, too, once it has waited for them. */
START_TEST(what_a_program_used_is_logged)
{
	int port = add_service("zzbusy", "server = %s\n%s\nlog_on_success = PID EXIT RUSAGE\n",
			       place_script("busy", "echo $$; (i=0; while [ $i -lt 200000 ]; do "
						    "i=$((i+1)); done)"),
			       log_to_service_log());
	const char *pid;

	daemon_start();
	pid = ask(port, "");
	pid = textf("%.*s", (int)strcspn(pid, "\n"), pid);
	service_wait_log(LOG_TIME "EXIT: zzbusy status=0 pid=%s$", pid);
	ck_assert_msg(text_matches(service_log(),
				   textf(LOG_TIME "RUSAGE: zzbusy pid=%s cpu=[0-9]+\\."
						  "([1-9][0-9]{2}|0[1-9][0-9])\\(sec\\) "
						  "maxrss=[1-9][0-9]{2,}\\(KiB\\)$",
					 pid)),
		      "%s", service_log());
}
END_TEST

/* How a server ends, and its log line. */
static const struct {
	const char *command, *told;
} ends[] = {
	{ "exit 0", "status=0" },        { "exit 3", "status=3" },
	{ "exit 255", "status=255" },    { "kill -TERM $$", "signal=15" },
	{ "kill -KILL $$", "signal=9" }, { "kill -SEGV $$", "signal=11" },
};

START_TEST(the_end_of_a_server_is_told)
{
	int port = add_service("zzlog", "server = %s\n%s",
			       place_script("end", "%s", ends[_i].command), log_everything());

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log(LOG_TIME "EXIT: zzlog %s pid=[0-9]+ duration=[0-9]+\\(sec\\)$",
			 ends[_i].told);
}
END_TEST

START_TEST(lines_of_one_server_have_its_pid)
{
	int port = add_service("zzlog", CAT "%s", log_everything()), fd;
	pid_t server;

	daemon_start();
	fd = client_hold(port);
	server = process_child(daemon_pid());
	close(fd);
	service_wait_log(LOG_TIME "START: zzlog pid=%d from=", (int)server);
	service_wait_log(LOG_TIME "EXIT: zzlog status=0 pid=%d duration=", (int)server);
}
END_TEST

START_TEST(the_id_is_logged)
{
	int port = add_service("zzname", "id = the-id\n" HELLO "%s", log_everything());

	daemon_start();
	ck_assert_str_eq(ask_at("::1", port, ""), "hello\n");
	service_wait_log(LOG_TIME "START: the-id pid=[0-9]+ from=::1$");
	service_wait_log(LOG_TIME "EXIT: the-id status=0 pid=");
	ck_assert(!text_matches(service_log(), "zzname"));
}
END_TEST

START_TEST(mapped_addresses_are_logged_as_ipv4)
{
	int port = add_service("zzlog", HELLO "flags = IPv6\n%s", log_everything());

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.77", port, ""), "hello\n");
	service_wait_log(LOG_TIME "START: zzlog pid=[0-9]+ from=127\\.0\\.0\\.77$");
}
END_TEST

START_TEST(builtins_have_pid_0_and_no_end)
{
	int port = add_service("time", "type = INTERNAL UNLISTED\n%s", log_everything()), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_read(fd, 4);
	client_expect_end(fd);
	daemon_stop();
	ck_assert_msg(text_count(service_log(),
				 LOG_TIME "START: time pid=0 from=127\\.0\\.0\\.1$") == 1 &&
			      text_count(service_log(), "\n") == 1,
		      "%s", service_log());
}
END_TEST

START_TEST(lines_are_stamped_with_local_time)
{
	static const char *const environment[] = { "TZ=TEST-05:30", NULL };
	int port = add_service("zzlog", HELLO "%s", log_everything());
	struct tm before, after;
	time_t now = time(NULL);

	daemon_start_with(&(struct daemon_options){ .environment = environment });
	ask(port, "");
	service_wait_log("START");
	setenv("TZ", "TEST-05:30", 1);
	tzset();
	localtime_r(&now, &before);
	now = time(NULL);
	localtime_r(&now, &after);
	/* The hour or day may have changed meanwhile. */
	ck_assert(
		text_matches(service_log(),
			     textf("^%02d/%d/%d@%02d:", before.tm_year % 100, before.tm_mon + 1,
				   before.tm_mday, before.tm_hour)) ||
		text_matches(service_log(), textf("^%02d/%d/%d@%02d:", after.tm_year % 100,
						  after.tm_mon + 1, after.tm_mday, after.tm_hour)));
}
END_TEST

/* --- lines of failure --- */

static const struct {
	const char *flags, *line;
} failures[] = {
	{ "", NULL },
	{ "HOST", "FAIL: zzlog address from=127\\.0\\.0\\.1" },
	{ "ATTEMPT", "FAIL: zzlog address" },
	{ "HOST ATTEMPT", "FAIL: zzlog address from=127\\.0\\.0\\.1" },
};

START_TEST(failure_is_logged_as_asked)
{
	int port = add_service("zzlog",
			       CAT "%s\nlog_on_success = PID HOST EXIT DURATION\n"
				   "log_on_failure = %s\nno_access = 127.0.0.1\n",
			       log_to_service_log(), failures[_i].flags);

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	daemon_stop();
	ck_assert_msg(text_count(service_log(), "\n") == (failures[_i].line != NULL),
		      "\"%s\" gives\n%s", failures[_i].flags, service_log());
	if (failures[_i].line)
		ck_assert_msg(text_matches(service_log(), textf(LOG_TIME "%s$", failures[_i].line)),
			      "\"%s\" gives %s", failures[_i].flags, service_log());
}
END_TEST

START_TEST(flags_of_defaults_are_edited)
{
	int plain, more, less;

	add_defaults("%s\nlog_on_success = PID\nlog_on_success += HOST\n", log_to_service_log());
	plain = add_service("zzplain", HELLO);
	more = add_service("zzmore", HELLO "log_on_success += EXIT\n");
	less = add_service("zzless", HELLO "log_on_success -= PID\n");
	daemon_start();
	ask(plain, "");
	ask(more, "");
	ask(less, "");
	service_wait_log(LOG_TIME "START: zzplain pid=[0-9]+ from=127\\.0\\.0\\.1$");
	service_wait_log(LOG_TIME "EXIT: zzmore status=0 pid=[0-9]+$");
	service_wait_log(LOG_TIME "START: zzless from=127\\.0\\.0\\.1$");
}
END_TEST

/* --- places --- */

START_TEST(services_may_have_files_of_their_own)
{
	int one, two;

	add_defaults("log_type = FILE %s\nlog_on_success = PID\n", place_path("common"));
	one = add_service("zzone", HELLO);
	two = add_service("zztwo", HELLO "log_type = FILE %s\n", place_path("own"));
	daemon_start();
	ask(one, "");
	ask(two, "");
	wait_until(text_matches(place_read("common"), LOG_TIME "START: zzone pid=[0-9]+$"));
	wait_until(text_matches(place_read("own"), LOG_TIME "START: zztwo pid=[0-9]+$"));
	ck_assert(!text_matches(place_read("common"), "zztwo"));
	ck_assert(!text_matches(place_read("own"), "zzone"));
}
END_TEST

START_TEST(a_log_is_appended_to)
{
	int port;

	place_write("service.log", "what was there before\n");
	port = add_service("zzlog", HELLO "%s", log_everything());
	daemon_start();
	ask(port, "");
	service_wait_log("START");
	ck_assert(text_matches(service_log(), "^what was there before$"));
}
END_TEST

START_TEST(without_log_type_lines_go_to_the_main_log)
{
	int port = add_service("zzlog", HELLO "log_on_success = PID HOST\nlog_on_failure = HOST\n"
					      "no_access = 127.0.0.9\n");

	daemon_start();
	ask(port, "");
	ask_from("127.0.0.9", port, "");
	daemon_wait_log("START: zzlog pid=[0-9]+ from=127\\.0\\.0\\.1$");
	daemon_wait_log("FAIL: zzlog address from=127\\.0\\.0\\.9$");
}
END_TEST

START_TEST(the_log_of_the_daemon_has_its_form)
{
	add_service("zzlog", HELLO);
	add_service("zzbad", CAT "instances = few\n");
	daemon_start();
	daemon_stop();
	ck_assert_uint_eq(text_count(daemon_log(), "\n"),
			  text_count(daemon_log(),
				     "^[0-9]{2}/[0-9]{1,2}/[0-9]{1,2}@[0-9]{2}:[0-9]{2}:[0-9]{2} "
				     "[a-z]+\\[[0-9]+\\]: "
				     "(CRITICAL|ERROR|WARNING|NOTICE|INFO|DEBUG): ."));
	ck_assert(text_matches(daemon_log(), "WARNING: Exiting\\.\\.\\.$"));
}
END_TEST

START_TEST(lines_of_many_servers_stay_whole)
{
	enum { CLIENTS = 120 };
	int port = add_service("zzlog", CAT "cps = 0 0\n%s", log_everything()), fds[CLIENTS];

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	service_wait_lines(CLIENTS, LOG_TIME "EXIT: zzlog status=0 pid=[0-9]+ "
					     "duration=[0-9]+\\(sec\\)$");
	ck_assert_uint_eq(text_count(service_log(),
				     LOG_TIME "START: zzlog pid=[0-9]+ from=127\\.0\\.0\\.1$"),
			  CLIENTS);
	ck_assert_uint_eq(text_count(service_log(), "\n"), 2 * CLIENTS);
}
END_TEST

START_TEST(a_rotated_log_is_opened_anew)
{
	int port = add_service("zzlog", HELLO "%s", log_everything());

	daemon_start();
	ask(port, "");
	service_wait_log("EXIT: zzlog");
	ck_assert_int_eq(rename(place_path("service.log"), place_path("service.log.1")), 0);
	daemon_reload();
	ask(port, "");
	service_wait_log("EXIT: zzlog");
	ck_assert_uint_eq(text_count(service_log(), "START"), 1);
	ck_assert_uint_eq(text_count(place_read("service.log.1"), "START"), 1);
}
END_TEST

START_TEST(the_log_of_the_daemon_is_opened_anew)
{
	int port = add_service("zzlog", HELLO);

	daemon_start();
	ck_assert_int_eq(rename(place_path("daemon.log"), place_path("daemon.log.1")), 0);
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert(text_matches(place_read("daemon.log.1"), "Started working"));
}
END_TEST

START_TEST(a_full_disk_costs_lines_alone)
{
	int port = add_service("zzlog",
			       HELLO "cps = 0 0\nlog_type = FILE /dev/full\n"
				     "log_on_success = PID HOST EXIT\nlog_on_failure = HOST\n");

	daemon_start();
	for (int i = 0; i < 30; i++)
		ck_assert_str_eq(ask(port, ""), "hello\n");
	daemon_wait_log("/dev/full");
	daemon_stop();
	/* Once at first, and at most once more with the daemon's count. */
	ck_assert_uint_le(text_count(daemon_log(), "/dev/full"), 2);
}
END_TEST

START_TEST(a_hard_limit_stops_the_log_alone)
{
	int port = add_service("time",
			       "type = INTERNAL UNLISTED\ncps = 0 0\n%s 500 1000\n"
			       "log_on_success = PID HOST\n",
			       log_to_service_log());
	struct stat status;

	daemon_start();
	for (int i = 0; i < 60; i++)
		ask(port, "");
	daemon_stop();
	ck_assert_int_eq(stat(place_path("service.log"), &status), 0);
	ck_assert_int_ge(status.st_size, 900);
	ck_assert_int_le(status.st_size, 1100);
	daemon_wait_log("hard limit");
}
END_TEST

/* --- syslog --- */

static int syslog_socket = -1;

static bool is_deserted(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_refused = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
			  errno == ECONNREFUSED;

	close(fd);
	return is_refused;
}

/* Becomes the syslogd of this machine; false when it has one. */
static bool be_syslogd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	syslog_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(syslog_socket, 0);
	if (is_deserted(&address))
		unlink(address.sun_path);
	if (bind(syslog_socket, (struct sockaddr *)&address, sizeof address) < 0) {
		ck_assert_int_eq(errno, EADDRINUSE);
		close(syslog_socket);
		return false;
	}
	place_claim(address.sun_path);
	/* As with syslogd, anybody may write to it. */
	ck_assert_int_eq(chmod(address.sun_path, 0666), 0);
	return true;
}

/* The next datagram that matches. */
static const char *syslog_line(const char *pattern)
{
	for (;;) {
		const char *line = datagram_receive(syslog_socket).data;

		if (text_matches(line, pattern))
			return line;
	}
}

START_TEST(lines_go_to_syslog)
{
	int port =
		add_service("zzlog", HELLO "log_type = SYSLOG local3 notice\n"
					   "log_on_success = PID HOST EXIT\nlog_on_failure = HOST\n"
					   "no_access = 127.0.0.9\n");
	const char *line;

	if (!be_syslogd())
		return;
	daemon_start();
	ask(port, "");
	/* local3 is 19, notice is 5 */
	line = syslog_line("START");
	ck_assert_msg(text_matches(line, textf("^<157>.*[a-z]+\\[%d\\]: START: zzlog pid=[0-9]+ "
					       "from=127\\.0\\.0\\.1\n?$",
					       (int)daemon_pid())),
		      "%s", line);
	ask_from("127.0.0.9", port, "");
	line = syslog_line("FAIL");
	ck_assert_msg(text_matches(line, "^<157>.*: FAIL: zzlog address from=127\\.0\\.0\\.9"),
		      "%s", line);
}
END_TEST

/* As with xinetd: rules for logs match that name. */
START_TEST(the_name_in_the_log_is_the_one_it_was_started_by)
{
	add_service("zzlog", HELLO);
	daemon_call_it("xinetd");
	daemon_start();
	ck_assert_msg(text_matches(daemon_log(), textf("^[^ ]+ xinetd\\[%d\\]: NOTICE: Started",
						       (int)daemon_pid())),
		      "%s", daemon_log());
}
END_TEST

START_TEST(the_tag_in_syslog_is_that_name)
{
	const char *const arguments[] = { "-syslog",
					  "daemon",
					  "-f",
					  configuration_path(),
					  "-pidfile",
					  place_path("daemon.pid"),
					  _i ? "-syslog_tag=the tag" : NULL,
					  NULL };
	const char *name = _i ? "the_tag" : "xinetd", *line;
	int port;

	if (!be_syslogd())
		return;
	port = add_service("zzlog", HELLO "log_on_success = HOST\n");
	configuration_write();
	daemon_call_it("xinetd");
	ck_assert_int_eq(daemon_run(arguments).status, 0);
	daemon_adopt((pid_t)atoi(place_read("daemon.pid")));
	line = syslog_line(textf("\\[%d\\]: Started working", (int)daemon_pid()));
	ck_assert_msg(text_matches(line, textf("^<29>.* %s\\[", name)), "%s", line);
	ask(port, "");
	line = syslog_line("START: zzlog");
	ck_assert_msg(text_matches(line, textf("^<30>.* %s\\[%d\\]", name, (int)daemon_pid())),
		      "%s", line);
}
END_TEST

START_TEST(the_level_is_info_unless_given)
{
	int port = add_service("zzlog", HELLO "log_type = SYSLOG daemon\nlog_on_success = PID\n");
	const char *line;

	if (!be_syslogd())
		return;
	daemon_start();
	ask(port, "");
	line = syslog_line("START");
	ck_assert_msg(text_matches(line, "^<30>"), "%s", line);
}
END_TEST

START_TEST(no_syslogd_holds_up_nobody)
{
	int port = add_service("zzlog", HELLO "cps = 0 0\nlog_type = SYSLOG daemon\n"
					      "log_on_success = PID HOST EXIT\n");

	daemon_start();
	for (int i = 0; i < 30; i++)
		ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(a_syslogd_that_does_not_read_holds_up_nobody)
{
	int port = add_service("zzlog", HELLO "cps = 0 0\nlog_type = SYSLOG daemon\n"
					      "log_on_success = PID HOST EXIT\n");

	if (!be_syslogd())
		return;
	daemon_start();
	/* More lines than the queue of a datagram socket holds. */
	for (int i = 0; i < 400; i++)
		ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

static void add_place_tests(Suite *suite)
{
	TCase *places = daemon_tcase(suite, "places");

	tcase_add_test(places, services_may_have_files_of_their_own);
	tcase_add_test(places, a_log_is_appended_to);
	tcase_add_test(places, without_log_type_lines_go_to_the_main_log);
	tcase_add_test(places, the_log_of_the_daemon_has_its_form);
	tcase_add_test(places, the_name_in_the_log_is_the_one_it_was_started_by);
	tcase_add_test(places, lines_of_many_servers_stay_whole);
	tcase_add_test(places, a_rotated_log_is_opened_anew);
	tcase_add_test(places, the_log_of_the_daemon_is_opened_anew);
	tcase_add_test(places, a_full_disk_costs_lines_alone);
	tcase_add_test(places, a_hard_limit_stops_the_log_alone);
}

static void add_syslog_tests(Suite *suite)
{
	TCase *tcase = daemon_tcase(suite, "syslog");

	tcase_add_test(tcase, no_syslogd_holds_up_nobody);
	if (!is_superuser())
		return; /* only root can bind /dev/log */
	tcase_add_test(tcase, lines_go_to_syslog);
	tcase_add_loop_test(tcase, the_tag_in_syslog_is_that_name, 0, 2);
	tcase_add_test(tcase, the_level_is_info_unless_given);
	tcase_add_test(tcase, a_syslogd_that_does_not_read_holds_up_nobody);
}

Suite *logs_suite(void)
{
	Suite *suite = suite_create("logs");
	TCase *lines = daemon_tcase(suite, "lines");

	tcase_add_test(lines, what_a_program_used_is_logged);
	tcase_add_loop_test(lines, success_is_logged_as_asked, 0,
			    sizeof successes / sizeof successes[0]);
	tcase_add_loop_test(lines, the_end_of_a_server_is_told, 0, sizeof ends / sizeof ends[0]);
	tcase_add_test(lines, lines_of_one_server_have_its_pid);
	tcase_add_test(lines, the_id_is_logged);
	tcase_add_test(lines, mapped_addresses_are_logged_as_ipv4);
	tcase_add_test(lines, builtins_have_pid_0_and_no_end);
	tcase_add_test(lines, lines_are_stamped_with_local_time);
	tcase_add_loop_test(lines, failure_is_logged_as_asked, 0,
			    sizeof failures / sizeof failures[0]);
	tcase_add_test(lines, flags_of_defaults_are_edited);
	add_place_tests(suite);
	add_syslog_tests(suite);
	return suite;
}
