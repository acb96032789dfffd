/* Why sessions end, what the log says about it, and what is run for it. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
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

Suite *session_end_suite(void)
{
	Suite *suite = suite_create("session_end");
	TCase *reason = daemon_tcase(suite, "reasons");

	tcase_add_test(reason, a_program_ends_by_itself);
	tcase_add_test(reason, a_reload_removes_the_service);
	tcase_add_test(reason, a_reload_no_longer_admits_the_client);
	tcase_add_test(reason, the_daemon_ends);
	tcase_add_test(reason, what_the_loop_serves_has_a_reason_too);
	tcase_add_test(reason, an_echo_ends_for_its_silence);
	tcase_add_test(reason, the_next_frontend_is_told_the_reason);
	return suite;
}
