/* Why sessions end, what the log says about it, and what is run for it. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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
	const char *program = place_script("variables", "env | grep -c ^SESSION_ID=; "
							"env | grep -c ^SESSION_SLOT=; env");
	int with = add_service("zzwith", "server = %s\nsession_env = yes\nenv = SESSION_SLOT=5\n",
			       program);
	int without = add_service("zzwithout", "server = %s\n", program);
	char *answer;

	daemon_start_with(&(struct daemon_options){ .environment = environment });
	answer = ask(with, "");
	ck_assert_msg(text_matches(answer, "^1$") && text_matches(answer, "^SESSION_SLOT=0$") &&
			      !text_matches(answer, "=old$"),
		      "%s", answer);
	answer = ask(without, "");
	ck_assert_msg(text_matches(answer, "^SESSION_SLOT=77$") &&
			      text_matches(answer, "^SESSION_ID=old$"),
		      "%s", answer);
}
END_TEST

Suite *session_end_suite(void)
{
	Suite *suite = suite_create("session_end");
	TCase *reason = daemon_tcase(suite, "reasons");
	TCase *session = daemon_tcase(suite, "session");

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
	return suite;
}
