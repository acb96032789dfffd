/* Why sessions end, what the log says about it, and what is run for it. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

#define REASONS "%slog_on_success += REASON\n"

/* --- reasons --- */

#define ENDS(word) LOG_TIME "EXIT: zzcat (status=|signal=).* reason=" word "$"

static const char *reasons(void)
{
	return textf(REASONS, log_everything());
}

START_TEST(a_program_ends_by_itself)
{
	int port = add_service("zzcat", CAT "%s", reasons());

	daemon_start();
	ck_assert_str_eq(ask(port, "word"), "word");
	service_wait_log(ENDS("exit"));
}
END_TEST

START_TEST(a_reload_removes_the_service)
{
	int port = add_service("zzcat", CAT "%s", reasons()), fd;

	daemon_start();
	fd = client_hold(port);
	configuration_clear();
	add_service("zzother", CAT);
	daemon_reload();
	client_expect_end(fd);
	service_wait_log(ENDS("reload"));
}
END_TEST

START_TEST(a_reload_no_longer_admits_the_client)
{
	int port = add_service("zzcat", CAT "%s", reasons()), fd;

	daemon_start();
	fd = client_hold(port);
	configuration_clear();
	add_service("zzcat", CAT "port = %d\nno_access = 127.0.0.1\n%s", port, reasons());
	daemon_reload();
	client_expect_end(fd);
	service_wait_log(ENDS("reload"));
}
END_TEST

START_TEST(the_daemon_ends)
{
	int port = add_service("zzcat", CAT "%s", reasons());

	daemon_start();
	client_hold(port);
	daemon_stop();
	ck_assert_msg(text_matches(service_log(), ENDS("stop")), "%s", service_log());
}
END_TEST

START_TEST(what_the_loop_serves_has_a_reason_too)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\n%s", reasons());

	daemon_start();
	client_hold(port);
	ck_assert_str_eq(ask(port, "word"), "word");
	service_wait_log(LOG_TIME "EXIT: echo status=0 .* reason=exit$");
	daemon_stop();
	ck_assert(text_matches(service_log(), LOG_TIME "EXIT: echo status=0 .* reason=stop$"));
}
END_TEST

START_TEST(an_echo_ends_for_its_silence)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\nidle_timeout = 1\n%s", reasons());

	daemon_start();
	client_expect_end(client_hold(port));
	service_wait_log(LOG_TIME "EXIT: echo status=0 .* reason=idle_timeout$");
}
END_TEST

/* --- reasons after a crash of the frontend --- */

static pid_t frontend(void)
{
	pid_t pid;

	wait_until((pid = process_frontend(daemon_pid())) > 0);
	return pid;
}

static void crash_frontend(void)
{
	pid_t before = frontend();

	ck_assert_int_eq(kill(before, SIGKILL), 0);
	wait_until(process_frontend(daemon_pid()) > 0 && process_frontend(daemon_pid()) != before);
}

START_TEST(the_next_frontend_is_told_the_reason)
{
	int port = add_service("zzcat", CAT "%s", reasons());

	daemon_start();
	client_hold(port);
	crash_frontend();
	client_hold(port);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), ENDS("stop")), 2);
}
END_TEST

/* --- sessions that SIGKILL does not end --- */

/* A process that traces the program and waits for nothing: what it traces stays a zombie. */
static pid_t trace(pid_t program)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_SEIZE, program, NULL, NULL) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	wait_until(atoi(process_status(program, "TracerPid")) == pid);
	return pid;
}

#define IS_HELD \
	"service zzcat: process %d: the session was killed but does not end: " \
	"process %d traces it$"

START_TEST(a_session_that_does_not_end_is_in_the_log)
{
	int port = add_service("zzcat", CAT "max_runtime = 1\nkill_timeout = 1\n%s", reasons());
	pid_t program, tracer;

	daemon_start();
	client_hold(port);
	program = process_child(daemon_pid());
	tracer = trace(program);
	daemon_wait_log(IS_HELD, (int)program, (int)tracer);
	ck_assert(!text_matches(service_log(), "EXIT"));
	ck_assert_int_eq(kill(tracer, SIGKILL), 0);
	service_wait_log(ENDS("max_runtime"));
}
END_TEST

START_TEST(the_daemon_ends_without_it)
{
	int port = add_service("zzcat", CAT);
	pid_t program, tracer;

	daemon_start();
	client_hold(port);
	program = process_child(daemon_pid());
	tracer = trace(program);
	daemon_signal(SIGTERM);
	ck_assert_int_eq(daemon_wait_end(), 0);
	ck_assert_msg(text_matches(daemon_log(), textf(IS_HELD, (int)program, (int)tracer)), "%s",
		      daemon_log());
	ck_assert_int_eq(kill(tracer, SIGKILL), 0);
	wait_until(!process_runs(program));
}
END_TEST

/* --- SESSION_ID and SESSION_SLOT --- */

static const char *show_session(void)
{
	return place_script("session", "echo $SESSION_ID $SESSION_SLOT; read line");
}

static int hold_slot(int port, int slot)
{
	int fd = client_connect(NULL, port);
	char *line = client_read_line(fd);

	ck_assert_msg(text_matches(line, textf("^[0-9a-f]+-[0-9a-f]+ %d$", slot)),
		      "\"%s\", not slot %d", line, slot);
	return fd;
}

static void end_session(int fd)
{
	client_finish_sending(fd);
	client_expect_end(fd);
}

static int add_with_slots(const char *lines)
{
	return add_service("zzslot", "server = %s\nsession_env = yes\n%s%s", show_session(), lines,
			   log_everything());
}

START_TEST(a_session_gets_the_lowest_free_slot)
{
	int port = add_with_slots(""), fds[4];

	daemon_start();
	for (int i = 0; i < 3; i++)
		fds[i] = hold_slot(port, i);
	end_session(fds[1]);
	service_wait_lines(1, "EXIT: zzslot");
	fds[1] = hold_slot(port, 1);
	fds[3] = hold_slot(port, 3);
	end_session(fds[0]);
	end_session(fds[2]);
	service_wait_lines(3, "EXIT: zzslot");
	fds[0] = hold_slot(port, 0);
}
END_TEST

START_TEST(slots_hold_over_a_crash_and_a_reload)
{
	int port = add_with_slots(""), fds[3];

	daemon_start();
	fds[0] = hold_slot(port, 0);
	fds[1] = hold_slot(port, 1);
	crash_frontend();
	fds[2] = hold_slot(port, 2);
	configuration_clear();
	add_service("zaaa", CAT); /* changes the numbers of services */
	add_service("zzslot", "port = %d\nserver = %s\nsession_env = yes\nnice = 1\n%s", port,
		    show_session(), log_everything());
	daemon_reload();
	hold_slot(port, 3);
	end_session(fds[1]);
	service_wait_log("EXIT: zzslot");
	hold_slot(port, 1);
}
END_TEST

START_TEST(a_program_that_does_not_start_keeps_no_slot)
{
	const char *program = show_session();
	int port = add_with_slots("");

	daemon_start();
	ck_assert_int_eq(rename(program, textf("%s-", program)), 0);
	for (unsigned i = 1; i < 3; i++) {
		ck_assert_str_eq(ask(port, ""), "");
		service_wait_lines(i, "FAIL: zzslot exec");
	}
	ck_assert_int_eq(rename(textf("%s-", program), program), 0);
	hold_slot(port, 0);
}
END_TEST

START_TEST(the_name_is_in_the_log)
{
	int port = add_with_slots("");
	char *line;

	configuration_clear();
	add_service("zzslot",
		    "port = %d\nserver = %s\nsession_env = yes\n%slog_on_success += SESSION\n",
		    port, show_session(), log_everything());
	daemon_start();
	for (unsigned i = 1; i < 3; i++) {
		line = ask(port, "\n");
		line = textf("%.*s", (int)strcspn(line, " "), line);
		ck_assert(text_matches(line, textf("^[0-9a-f]+-%u$", i)));
		service_wait_log("START: zzslot pid=[0-9]+ from=127\\.0\\.0\\.1 session=%s$", line);
		service_wait_log("EXIT: zzslot status=0 .*\\) session=%s$", line);
	}
}
END_TEST

START_TEST(no_two_runs_have_the_same_id)
{
	int port = add_with_slots("");
	char *first;

	daemon_start();
	first = ask(port, "\n");
	daemon_stop();
	daemon_start();
	ck_assert_str_ne(ask(port, "\n"), first);
}
END_TEST

/* Not those that the daemon was started with, nor those of its configuration. */
START_TEST(the_variables_are_the_sessions_own)
{
	static const char *const environment[] = { "SESSION_ID=old", "SESSION_SLOT=77", NULL };
	static const char env[] = "server = /usr/bin/env\n"; /* a shell would hide repeats */
	int with = add_service("zzwith", "%ssession_env = yes\nenv = SESSION_SLOT=5\n", env);
	int without = add_service("zzwithout", "%s", env);
	char *answer;

	daemon_start_with(&(struct daemon_options){ .environment = environment });
	answer = ask(with, "");
	ck_assert_msg(text_count(answer, "^SESSION_ID=[0-9a-f]+-1$") == 1 &&
			      text_count(answer, "^SESSION_SLOT=0$") == 1 &&
			      text_count(answer, "^SESSION_") == 2,
		      "%s", answer);
	answer = ask(without, "");
	ck_assert_msg(text_matches(answer, "^SESSION_SLOT=77$") &&
			      text_matches(answer, "^SESSION_ID=old$"),
		      "%s", answer);
}
END_TEST

/* --- end_command --- */

/* A script that adds a line about the session to the file "ended". */
static const char *place_end_script(const char *first)
{
	return place_script("end",
			    "%s\necho $SESSION_SERVICE $SESSION_ID $SESSION_STATUS "
			    "$SESSION_REASON $SESSION_DURATION $REMOTE_HOST \"$@\" >>%s\n",
			    first, place_path("ended"));
}

static int add_with_end(const char *lines)
{
	return add_service("zzend", "%send_command = %s one \"two three\"\n%s", lines,
			   place_end_script(""), reasons());
}

static void wait_ended(unsigned count, const char *pattern)
{
	wait_until(text_count(place_read("ended"), pattern) == count);
}

#define ENDED(what) "^zzend [0-9a-f]+-[0-9a-f]+ " what " [0-9] 127\\.0\\.0\\.1 one two three$"

static const struct {
	const char *command, *told, *logged;
} own_ends[] = {
	{ "exit 0", ENDED("0 exit"), "EXIT: zzend status=0 .* reason=exit$" },
	{ "exit 3", ENDED("3 exit"), "EXIT: zzend status=3 .* reason=exit$" },
	{ "kill -KILL $$", ENDED("137 exit"), "EXIT: zzend signal=9 .* reason=exit$" },
	{ "read line", ENDED("143 max_runtime"), "EXIT: zzend signal=15 .* reason=max_runtime$" },
};

START_TEST(a_command_is_told_how_a_session_ended)
{
	const char *server = place_script("server", "%s", own_ends[_i].command);
	int port = add_with_end(textf("server = %s\nmax_runtime = 1\n", server));

	daemon_start();
	client_read_all(client_connect(NULL, port));
	service_wait_log("%s", own_ends[_i].logged);
	wait_ended(1, own_ends[_i].told);
	ck_assert_uint_eq(text_count(place_read("ended"), "\n"), 1);
}
END_TEST

START_TEST(a_command_is_run_at_a_reload)
{
	int port = add_with_end(CAT), fd;

	daemon_start();
	fd = client_hold(port);
	configuration_clear();
	add_service("zzother", CAT);
	daemon_reload();
	client_expect_end(fd);
	wait_ended(1, ENDED("143 reload"));
	service_wait_log("EXIT: zzend signal=15 .* reason=reload$");
}
END_TEST

/* The daemon waits for commands that take a while. */
START_TEST(a_command_is_run_at_the_end_of_the_daemon)
{
	int port =
		add_service("zzend", CAT "end_command = %s one \"two three\"\n%s",
			    place_end_script("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"),
			    reasons());

	daemon_start();
	for (int i = 0; i < 3; i++)
		client_hold(port);
	daemon_stop();
	ck_assert_uint_eq(text_count(place_read("ended"), ENDED("143 stop")), 3);
	ck_assert_uint_eq(text_count(service_log(), "EXIT: zzend signal=15 .* reason=stop$"), 3);
}
END_TEST

START_TEST(a_command_is_run_without_a_frontend)
{
	int port = add_with_end(CAT), fd;

	daemon_start();
	fd = client_hold(port);
	crash_frontend();
	kill(frontend(), SIGSTOP);
	end_session(fd);
	wait_ended(1, ENDED("0 exit"));
	kill(frontend(), SIGCONT);
	service_wait_log("EXIT: zzend status=0 .* reason=exit$");
	ck_assert_uint_eq(text_count(place_read("ended"), "\n"), 1);
}
END_TEST

START_TEST(each_of_many_sessions_has_its_command)
{
	enum { SESSIONS = 40 };
	int port = add_with_end("server = /bin/true\n");

	daemon_start();
	for (int i = 0; i < SESSIONS; i++)
		client_read_all(client_connect(NULL, port));
	wait_ended(SESSIONS, ENDED("0 exit"));
	service_wait_lines(SESSIONS, "EXIT: zzend status=0");
}
END_TEST

/* None of them is taken for something that a session has left. */
START_TEST(each_has_its_command_at_the_end_of_the_daemon)
{
	enum { SESSIONS = 150 };
	int port = add_service("zzend", CAT "instances = 200\ncps = 0 0\nend_command = %s\n",
			       place_end_script(""));

	daemon_start();
	for (int i = 0; i < SESSIONS; i++)
		client_hold(port);
	daemon_stop();
	ck_assert_uint_eq(text_count(place_read("ended"), "143 stop"), SESSIONS);
}
END_TEST

START_TEST(a_wait_server_has_one_too)
{
	int port = add_service("zzend", "server = %s\nwait = yes\nend_command = %s\n",
			       place_program("wait_stream"), place_end_script("")),
	    fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, "quit\n");
	client_read_all(fd);
	wait_ended(1, "^zzend [0-9a-f-]+ 0 exit [0-9] <no address>$");
}
END_TEST

/* As if it were the program itself, but without the connection. */
START_TEST(a_command_runs_like_its_service)
{
	const char *directory = place_path("theirs");
	const char *script = place_script("facts",
					  "exec >%s; id -u; umask; nice; ulimit -n; pwd; "
					  "echo $OWN $SESSION_SLOT; ls -l /proc/$$/fd",
					  textf("%s/facts", directory));
	int port = add_service("zzend",
			       CAT "user = %s\numask = 027\nnice = 3\nrlimit_files = 77\n"
				   "session_env = yes\nenv = OWN=mine\nend_command = %s\n%s",
			       is_superuser() ? "54321" : current_user(), script, reasons());
	uid_t user = is_superuser() ? 54321 : getuid();

	ck_assert_int_eq(mkdir(directory, 0755), 0);
	ck_assert(!is_superuser() || chown(directory, user, user) == 0);
	daemon_start();
	ck_assert_str_eq(ask(port, "word"), "word");
	service_wait_log("EXIT: zzend status=0");
	ck_assert_msg(text_matches(place_read("theirs/facts"),
				   textf("^%u\n0027\n3\n77\n/\nmine 0\n", (unsigned)user)),
		      "%s", place_read("theirs/facts"));
	ck_assert_uint_eq(text_count(place_read("theirs/facts"), " [02] -> /dev/null$"), 2);
	ck_assert_uint_eq(text_count(place_read("theirs/facts"), "socket:"), 0);
}
END_TEST

/* The command waits until somebody opens the pipe for writing. */
static const char *place_waiting_script(void)
{
	ck_assert_int_eq(mkfifo(place_path("pipe"), 0666), 0);
	return place_script("wait", "echo $$ >>%s; read line <%s", place_path("begun"),
			    place_path("pipe"));
}

static void let_go(void)
{
	int fd = open(place_path("pipe"), O_WRONLY);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(a_session_is_over_only_after_its_command)
{
	int port = add_with_slots(textf("end_command = %s\nkill_timeout = 40\ninstances = 2\n",
					place_waiting_script())),
	    fd;

	daemon_start();
	fd = hold_slot(port, 0);
	end_session(fd);
	wait_until(text_count(place_read("begun"), "\n") == 1);
	fd = hold_slot(port, 1);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzslot service_limit");
	ck_assert(!text_matches(service_log(), "EXIT"));
	let_go();
	service_wait_log("EXIT: zzslot");
	hold_slot(port, 0);
	end_session(fd);
	wait_until(text_count(place_read("begun"), "\n") == 2);
	let_go();
	service_wait_lines(2, "EXIT: zzslot");
	kill(daemon_pid(), SIGTERM); /* for the last one */
	wait_until(text_count(place_read("begun"), "\n") == 3);
	let_go();
}
END_TEST

START_TEST(a_crash_of_the_frontend_does_not_matter_to_a_command)
{
	int port = add_service("zzend", CAT "end_command = %s\nkill_timeout = 40\n%s",
			       place_waiting_script(), reasons());

	daemon_start();
	ck_assert_str_eq(ask(port, "word"), "word");
	wait_until(text_count(place_read("begun"), "\n") == 1);
	crash_frontend();
	daemon_wait_log("died of signal 9");
	let_go();
	service_wait_log("EXIT: zzend status=0 .* reason=exit$");
	ck_assert_uint_eq(text_count(place_read("begun"), "\n"), 1);
}
END_TEST

START_TEST(a_command_that_hangs_is_killed)
{
	int port = add_service("zzend", CAT "end_command = %s\nkill_timeout = 1\n%s",
			       place_waiting_script(), reasons());

	daemon_start();
	ck_assert_str_eq(ask(port, "word"), "word");
	service_wait_log("EXIT: zzend status=0 pid=[0-9]+ duration=0\\(sec\\) reason=exit$");
	daemon_wait_log("service zzend: end_command .*/wait took longer than 1 s and is killed$");
	daemon_wait_log("service zzend: end_command .*/wait was ended by signal 9$");
}
END_TEST

START_TEST(a_second_sigterm_waits_for_no_command)
{
	int port = add_service("zzend", CAT "end_command = %s\nkill_timeout = 40\n",
			       place_waiting_script());

	daemon_start();
	client_hold(port);
	daemon_signal(SIGTERM);
	wait_until(text_count(place_read("begun"), "\n") == 1);
	daemon_signal(SIGTERM);
	ck_assert_int_eq(daemon_wait_end(), 0);
	wait_until(!process_runs(atoi(place_read("begun"))));
}
END_TEST

START_TEST(a_command_that_fails_is_logged)
{
	int port = add_service("zzend", CAT "end_command = %s\n%s", place_script("end", "exit 4"),
			       reasons());

	daemon_start();
	ck_assert_str_eq(ask(port, "word"), "word");
	daemon_wait_log("service zzend: end_command .*/end ended with status 4$");
	ck_assert_int_eq(unlink(place_path("end")), 0);
	ck_assert_str_eq(ask(port, "word"), "word");
	daemon_wait_log("service zzend: end_command can't be started: exec .*/end: No such file");
	service_wait_lines(2, "EXIT: zzend status=0 .* reason=exit$");
}
END_TEST

START_TEST(a_program_that_does_not_start_has_no_command)
{
	const char *server = place_script("server", "exit");
	int port = add_with_end(textf("server = %s\n", server));

	daemon_start();
	ck_assert_int_eq(rename(server, textf("%s-", server)), 0);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzend exec");
	ck_assert_int_eq(rename(textf("%s-", server), server), 0);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("EXIT: zzend status=0");
	ck_assert_uint_eq(text_count(place_read("ended"), "\n"), 1);
}
END_TEST

Suite *session_end_suite(void)
{
	Suite *suite = suite_create("session_end");
	TCase *reason = daemon_tcase(suite, "reasons");
	TCase *hold = daemon_tcase(suite, "hold");
	TCase *session = daemon_tcase(suite, "session");
	TCase *command = daemon_tcase(suite, "end_command");

	if (is_superuser()) { /* others may not trace what they have not started */
		tcase_add_test(hold, a_session_that_does_not_end_is_in_the_log);
		tcase_add_test(hold, the_daemon_ends_without_it);
	}
	tcase_add_test(reason, a_program_ends_by_itself);
	tcase_add_test(reason, a_reload_removes_the_service);
	tcase_add_test(reason, a_reload_no_longer_admits_the_client);
	tcase_add_test(reason, the_daemon_ends);
	tcase_add_test(reason, what_the_loop_serves_has_a_reason_too);
	tcase_add_test(reason, an_echo_ends_for_its_silence);
	tcase_add_test(reason, the_next_frontend_is_told_the_reason);
	tcase_add_test(session, a_session_gets_the_lowest_free_slot);
	tcase_add_test(session, slots_hold_over_a_crash_and_a_reload);
	tcase_add_test(session, a_program_that_does_not_start_keeps_no_slot);
	tcase_add_test(session, the_name_is_in_the_log);
	tcase_add_test(session, no_two_runs_have_the_same_id);
	tcase_add_test(session, the_variables_are_the_sessions_own);
	tcase_add_loop_test(command, a_command_is_told_how_a_session_ended, 0,
			    sizeof own_ends / sizeof own_ends[0]);
	tcase_add_test(command, a_command_is_run_at_a_reload);
	tcase_add_test(command, a_command_is_run_at_the_end_of_the_daemon);
	tcase_add_test(command, a_command_is_run_without_a_frontend);
	tcase_add_test(command, each_of_many_sessions_has_its_command);
	tcase_add_test(command, each_has_its_command_at_the_end_of_the_daemon);
	tcase_add_test(command, a_wait_server_has_one_too);
	tcase_add_test(command, a_command_runs_like_its_service);
	tcase_add_test(command, a_session_is_over_only_after_its_command);
	tcase_add_test(command, a_crash_of_the_frontend_does_not_matter_to_a_command);
	tcase_add_test(command, a_command_that_hangs_is_killed);
	tcase_add_test(command, a_second_sigterm_waits_for_no_command);
	tcase_add_test(command, a_command_that_fails_is_logged);
	tcase_add_test(command, a_program_that_does_not_start_has_no_command);
	return suite;
}
