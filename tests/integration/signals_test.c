/* SIGTERM, SIGINT, SIGQUIT, SIGUSR1, and signals without effect. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_ended_well(void)
{
	int status = daemon_wait_end();

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %x", status);
}

/* A process that the daemon did not reap is now a child of the test. */
static void check_reaped(void)
{
	pid_t left = process_child(getpid());

	ck_assert_msg(left == 0, "left behind: %s", file_read(textf("/proc/%d/stat", (int)left)));
}

static bool pid_file_is_there(void)
{
	return access(place_path("daemon.pid"), F_OK) == 0;
}

/* --- the end --- */

static const struct {
	const char *command;
	int number;
	bool survives, leaves_session;
} leavings[] = {
	{ "sleep 1000 &", SIGTERM, false, false },
	{ "sh -c 'trap \"\" TERM; sleep 1000 & wait' &", SIGTERM, false, false },
	{ "sleep 1000 &", SIGQUIT, true, false },
	{ "setsid sleep 1000 &", SIGTERM, false, true }, /* not in the server's session */
};

START_TEST(what_programs_left_behind_ends_with_the_daemon)
{
	int port = add_service("zzleaves", "server = %s\n%s",
			       place_script("leaves", "%s\necho $!\nexit 0", leavings[_i].command),
			       log_everything());
	pid_t left;
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	left = (pid_t)atoi(client_read_line(fd));
	service_wait_log("EXIT: zzleaves status=0");
	ck_assert(process_runs(left));
	wait_until(!leavings[_i].leaves_session || getsid(left) == left);
	daemon_signal(leavings[_i].number);
	check_ended_well();
	if (!leavings[_i].survives)
		client_expect_end(fd);
	ck_assert_int_eq(process_runs(left), leavings[_i].survives);
	if (leavings[_i].survives)
		kill(left, SIGKILL);
}
END_TEST

/* Signals that end the sessions, too. */
static const int ending[] = { SIGTERM, SIGINT };

START_TEST(sessions_end_with_the_daemon)
{
	int cat = add_service("zzcat", CAT "%s", log_everything());
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n%s", log_everything());
	int program =
		add_service("zzwait", "wait = yes\nserver = %s\n", place_program("wait_stream"));
	int one, two, three;

	daemon_start();
	one = client_hold(cat);
	two = client_hold(echo);
	three = client_connect(NULL, program);
	client_read_line(three);
	ck_assert(pid_file_is_there());
	daemon_signal(ending[_i]);
	client_expect_end(one);
	client_expect_end(two);
	client_expect_end(three);
	check_ended_well();
	ck_assert(client_is_refused(NULL, cat));
	ck_assert(client_is_refused(NULL, echo));
	ck_assert(client_is_refused(NULL, program));
	ck_assert(!pid_file_is_there());
	ck_assert(text_matches(daemon_log(), "WARNING: Exiting\\.\\.\\.$"));
	ck_assert(text_matches(service_log(), LOG_TIME "EXIT: zzcat signal=15 pid="));
	ck_assert(text_matches(service_log(), LOG_TIME "EXIT: echo status=0 pid=0 "));
	check_reaped();
}
END_TEST

START_TEST(whole_process_groups_end)
{
	int port = add_service("zzfamily", "server = %s\n",
			       place_script("family", "sleep 1000 & echo $!; wait")),
	    fd;
	pid_t grandchild;

	daemon_start();
	fd = client_connect(NULL, port);
	grandchild = (pid_t)atoi(client_read_line(fd));
	ck_assert(process_runs(grandchild));
	daemon_signal(SIGTERM);
	check_ended_well();
	wait_until(!process_runs(grandchild));
	client_expect_end(fd);
}
END_TEST

START_TEST(a_server_that_has_just_started_ends_too)
{
	enum { ROUNDS = 20 };
	int port =
		add_service("zzfresh", "server = %s\n%s",
			    place_script("fresh", "sleep 1000 & echo up; wait"), log_everything());

	for (int round = 1; round <= ROUNDS; round++) {
		int fd;

		daemon_start();
		fd = client_connect(NULL, port);
		/* The client may hear from the server before the daemon knows of it. */
		client_expect(fd, "up\n");
		daemon_signal(SIGTERM);
		client_expect_end(fd);
		check_ended_well();
		ck_assert_uint_eq(text_count(service_log(), "START: zzfresh pid="), round);
		ck_assert_uint_eq(text_count(service_log(), "EXIT: zzfresh signal=15 pid="), round);
	}
}
END_TEST

/* Serves one line and ends at nothing but SIGKILL. */
static int add_stubborn(void)
{
	return add_service("zzstubborn", "server = %s\n",
			   place_script("stubborn", "trap '' TERM INT HUP QUIT; echo up; "
						    "while :; do sleep 1000; done"));
}

START_TEST(a_stubborn_server_is_killed_in_the_end)
{
	int port = add_stubborn(), fd;
	pid_t server;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "up\n");
	server = process_child(daemon_pid());
	daemon_signal(SIGTERM);
	check_ended_well();
	ck_assert(!process_runs(server));
	client_expect_end(fd);
}
END_TEST

START_TEST(a_second_sigterm_is_immediate)
{
	int port = add_stubborn(), fd;
	pid_t server;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "up\n");
	server = process_child(daemon_pid());
	daemon_signal(SIGTERM);
	wait_until(client_is_refused(NULL, port));
	/* The daemon waits for the server; the second signal must end the wait. */
	daemon_signal(SIGTERM);
	check_ended_well();
	wait_until(!process_runs(server));
	client_expect_end(fd);
}
END_TEST

START_TEST(sigquit_leaves_the_servers)
{
	int port = add_service("zzcat", CAT), fd;

	daemon_start();
	fd = client_hold(port);
	daemon_signal(SIGQUIT);
	check_ended_well();
	client_ping(fd);
	ck_assert(client_is_refused(NULL, port));
	ck_assert(!pid_file_is_there());
	client_finish_sending(fd);
	client_expect_end(fd);
}
END_TEST

START_TEST(many_sessions_end)
{
	enum { CLIENTS = 60 };
	int port = add_service("zzcat", CAT "cps = 0 0\n%s", log_everything()), fds[CLIENTS];

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_hold(port);
	daemon_stop();
	for (int i = 0; i < CLIENTS; i++)
		client_expect_end(fds[i]);
	ck_assert_uint_eq(text_count(service_log(), "EXIT: zzcat signal=15"), CLIENTS);
	check_reaped();
}
END_TEST

/* --- the status report --- */

static void choose_status_file(void)
{
	configure("daemon\n{\n\tstatus_file = %s\n}\n", place_path("status"));
}

/* Sends SIGUSR1 and returns what was written. */
static const char *status_report(void)
{
	static const char said[] = "generated state dump in file .*/status$";
	unsigned before = text_count(daemon_log(), said);

	daemon_signal(SIGUSR1);
	wait_until(text_count(daemon_log(), said) > before);
	return place_read("status");
}

START_TEST(the_report_tells_of_every_service)
{
	int cat = add_service("zzcat", "id = zz-cat-id\n" CAT "no_access = 127.0.0.9\n%s",
			      log_everything());
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), held;
	const char *report;
	pid_t server;

	choose_status_file();
	daemon_start();
	held = client_hold(cat);
	server = process_child(daemon_pid());
	for (int i = 0; i < 3; i++)
		ask_from("127.0.0.9", cat, "");
	service_wait_lines(3, "FAIL: zz-cat-id address");
	report = status_report();
	ck_assert_msg(text_matches(report, "zz-cat-id"), "%s", report);
	ck_assert_msg(text_matches(report, "echo"), "%s", report);
	ck_assert_msg(text_matches(report, textf("(^|[^0-9])%d([^0-9]|$)", cat)), "%s", report);
	ck_assert_msg(text_matches(report, textf("(^|[^0-9])%d([^0-9]|$)", echo)), "%s", report);
	ck_assert_msg(text_matches(report, "/bin/cat"), "%s", report);
	ck_assert_msg(text_matches(report, textf("(^|[^0-9])%d([^0-9]|$)", (int)server)), "%s",
		      report);
	client_ping(held);
	close(held);
}
END_TEST

START_TEST(the_report_can_be_had_again)
{
	choose_status_file();
	add_service("zzcat", CAT);
	daemon_start();
	ck_assert(text_matches(status_report(), "zzcat"));
	place_write("status", "of the day before\n");
	ck_assert(text_matches(status_report(), "zzcat"));
	ck_assert(!text_matches(place_read("status"), "day before"));
	ck_assert(daemon_is_running());
}
END_TEST

START_TEST(the_report_is_for_its_owner_and_has_no_values_of_env)
{
	struct stat status;
	const char *report;

	choose_status_file();
	add_service("zzcat", CAT "env = TOKEN=hush ADD=more\n");
	daemon_start();
	report = status_report();
	ck_assert_msg(text_matches(report, "^\tenv             = TOKEN ADD$"), "%s", report);
	ck_assert_msg(!text_matches(report, "hush|more"), "%s", report);
	ck_assert_msg(text_matches(report, "^\tuser            = "), "%s", report);
	ck_assert_int_eq(stat(place_path("status"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(the_mode_of_the_report_may_be_set)
{
	struct stat status;

	configure("daemon\n{\n\tstatus_file = %s\n\tstatus_mode = 644\n}\n", place_path("status"));
	add_service("zzcat", CAT);
	daemon_start();
	status_report();
	ck_assert_int_eq(stat(place_path("status"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_report_goes_to_no_directory_that_others_lead_to)
{
	const char *theirs = place_path("theirs"), *roots = place_path("roots");

	if (!is_superuser())
		return;
	ck_assert_int_eq(mkdir(roots, 0755), 0);
	ck_assert_int_eq(mkdir(theirs, 0755), 0);
	ck_assert_int_eq(symlink(roots, textf("%s/link", theirs)), 0);
	ck_assert_int_eq(chown(theirs, 54321, 54321), 0);
	configure("daemon\n{\n\tstatus_file = %s/link/status\n}\n", theirs);
	add_service("zzcat", CAT);
	daemon_start();
	daemon_signal(SIGUSR1);
	daemon_wait_log("ERROR: can't write the state dump to .*/theirs/link/status: ");
	ck_assert_int_ne(access(textf("%s/status", roots), F_OK), 0);
}
END_TEST

START_TEST(a_report_that_cannot_be_written_is_no_end)
{
	int port = add_service("zzcat", CAT);

	configure("daemon\n{\n\tstatus_file = /no/such/directory/status\n}\n");
	daemon_start();
	daemon_signal(SIGUSR1);
	daemon_wait_log("ERROR: .*/no/such/directory/status: No such file or directory$");
	ck_assert_str_eq(ask(port, "on"), "on");
}
END_TEST

START_TEST(a_report_is_no_way_to_write_elsewhere)
{
	choose_status_file();
	add_service("zzcat", CAT);
	place_write("precious", "untouched\n");
	ck_assert_int_eq(symlink(place_path("precious"), place_path("status")), 0);
	daemon_start();
	ck_assert(text_matches(status_report(), "zzcat"));
	ck_assert_str_eq(place_read("precious"), "untouched\n");
}
END_TEST

/* --- the rest --- */

START_TEST(sigabrt_asks_for_a_check)
{
	int port = add_service("zzcat", CAT), held;

	daemon_start();
	held = client_hold(port);
	daemon_signal(SIGABRT);
	daemon_wait_log("[Cc]onsistency");
	client_ping(held);
	ck_assert_str_eq(ask(port, "on"), "on");
	close(held);
}
END_TEST

static const int harmless[] = { SIGALRM, SIGPIPE, SIGCHLD, SIGCONT, SIGWINCH, SIGURG };

START_TEST(other_signals_do_nothing)
{
	int port = add_service("zzcat", CAT), held;

	daemon_start();
	held = client_hold(port);
	for (int i = 0; i < 3; i++)
		daemon_signal(harmless[_i]);
	/* It may take a moment until the end of a daemon can be seen. */
	for (int i = 0; i < 10; i++)
		ck_assert_str_eq(ask(port, "on"), "on");
	ck_assert(daemon_is_running());
	client_ping(held);
	close(held);
}
END_TEST

Suite *signals_suite(void)
{
	Suite *suite = suite_create("signals");
	TCase *end = daemon_tcase(suite, "the end");
	TCase *report = daemon_tcase(suite, "the status report");
	TCase *rest = daemon_tcase(suite, "the rest");

	tcase_add_loop_test(end, what_programs_left_behind_ends_with_the_daemon, 0,
			    sizeof leavings / sizeof leavings[0]);
	tcase_add_loop_test(end, sessions_end_with_the_daemon, 0, 2);
	tcase_add_test(end, whole_process_groups_end);
	tcase_add_test(end, a_server_that_has_just_started_ends_too);
	tcase_add_test(end, a_stubborn_server_is_killed_in_the_end);
	tcase_add_test(end, a_second_sigterm_is_immediate);
	tcase_add_test(end, sigquit_leaves_the_servers);
	tcase_add_test(end, many_sessions_end);
	tcase_add_test(report, the_report_tells_of_every_service);
	tcase_add_test(report, the_report_can_be_had_again);
	tcase_add_test(report, the_report_is_for_its_owner_and_has_no_values_of_env);
	tcase_add_test(report, the_mode_of_the_report_may_be_set);
	tcase_add_test(report, a_report_goes_to_no_directory_that_others_lead_to);
	tcase_add_test(report, a_report_that_cannot_be_written_is_no_end);
	tcase_add_test(report, a_report_is_no_way_to_write_elsewhere);
	tcase_add_test(rest, sigabrt_asks_for_a_check);
	tcase_add_loop_test(rest, other_signals_do_nothing, 0,
			    sizeof harmless / sizeof harmless[0]);
	return suite;
}
