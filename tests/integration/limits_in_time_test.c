/* How long sessions may last, and what is done to those that last longer. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_reasons(void)
{
	return textf("%slog_on_success += REASON\n", log_everything());
}

static pid_t frontend(void)
{
	pid_t pid;

	wait_until((pid = process_frontend(daemon_pid())) > 0);
	return pid;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

/* --- start_timeout --- */

enum { LARGE = 1024 * 1024 };

/* Attributes with a banner that takes long, as its client does not read it. */
static const char *large_banner(const char *attribute)
{
	char *text = keep(malloc(LARGE));

	memset(text, 'x', LARGE);
	place_write_bytes("large", text, LARGE);
	return textf("%s = %s\nstart_timeout = 1\n%s", attribute, place_path("large"),
		     log_reasons());
}

static const struct {
	const char *attribute, *attributes, *fails;
	unsigned lines;
} banners[] = {
	{ "banner", "", "start_timeout", 1 },
	{ "banner_success", "", "start_timeout", 1 },
	{ "banner_fail", "no_access = 127.0.0.1\n", "address", 2 },
};

START_TEST(a_client_that_does_not_read_its_banner_is_refused)
{
	int port = add_service("zzhello", HELLO "%s%s", large_banner(banners[_i].attribute),
			       banners[_i].attributes),
	    fd;
	unsigned before;

	daemon_start();
	before = process_descriptors(frontend()) + 1; /* the file stays open */
	fd = client_connect(NULL, port);
	client_read_all(fd);
	close(fd);
	wait_until(process_descriptors(frontend()) == before);
	fd = client_connect(NULL, port);
	client_expect(fd, "x");
	service_wait_lines(banners[_i].lines,
			   textf(LOG_TIME "FAIL: zzhello %s from=", banners[_i].fails));
	wait_until(process_descriptors(frontend()) == before);
	ck_assert_uint_lt(client_read_all(fd).length, LARGE - 1);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "FAIL"), banners[_i].lines);
}
END_TEST

START_TEST(a_client_that_is_served_in_time_is_not_concerned)
{
	int port = add_service("zzcat", CAT "start_timeout = 1\n"), fd, other;
	int echo = add_service("echo", "type = INTERNAL UNLISTED\nstart_timeout = 1\n");
	int clock = add_service("zzclock", CAT "max_runtime = 1\n");

	daemon_start();
	fd = client_hold(port);
	other = client_hold(echo);
	client_expect_end(client_hold(clock)); /* a second later */
	client_ping(fd);
	client_ping(other);
}
END_TEST

START_TEST(a_client_of_tcpmux_names_its_service_in_time)
{
	int port = add_service("tcpmux", "type = INTERNAL UNLISTED\nstart_timeout = 1\n%s",
			       log_reasons()),
	    fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, "zzc");
	client_expect_end(fd);
	service_wait_log("EXIT: tcpmux status=0 .* reason=start_timeout$");
	ck_assert(!text_matches(service_log(), "FAIL"));
}
END_TEST

START_TEST(a_client_that_keeps_the_reply_of_tcpmux_is_not_refused)
{
	int port = add_service("tcpmux", "type = INTERNAL UNLISTED\nstart_timeout = 1\n%s",
			       log_reasons()),
	    fd;
	unsigned before;

	daemon_start();
	before = process_descriptors(frontend());
	fd = client_connect(NULL, port);
	client_send(fd, "zznone\r\n");
	client_expect(fd, "-Service name not found\r\n");
	ck_assert_int_eq(client_end(fd), 0);
	service_wait_log("EXIT: tcpmux status=0 ");
	wait_until(process_descriptors(frontend()) == before);
	daemon_stop();
	ck_assert(!text_matches(service_log(), "FAIL"));
}
END_TEST

/* Its steps are over. */
START_TEST(a_program_of_an_earlier_frontend_is_not_concerned)
{
	int port = add_service("zzcat", CAT "start_timeout = 1\n%s", log_reasons()), fd;
	int clock = add_service("zzclock", CAT "max_runtime = 2\n");
	pid_t first;

	daemon_start();
	fd = client_hold(port);
	first = frontend();
	kill(first, SIGKILL);
	wait_until(frontend() != first);
	client_expect_end(client_hold(clock)); /* two seconds later */
	client_ping(fd);
	ck_assert(!text_matches(service_log(), "EXIT: zzcat"));
}
END_TEST

/* --- max_runtime of programs --- */

START_TEST(a_program_ends_after_max_runtime)
{
	int port = add_service("zzcat", CAT "max_runtime = 1\n%s", log_reasons()), fd;
	int64_t began;

	daemon_start();
	began = now_ms();
	fd = client_hold(port);
	client_expect_end(fd);
	ck_assert_int_ge(now_ms() - began, 1000);
	service_wait_log(LOG_TIME "EXIT: zzcat signal=15 pid=[0-9]+ duration=[1-9]\\(sec\\) "
				  "reason=max_runtime$");
}
END_TEST

START_TEST(a_program_that_ends_earlier_ends_by_itself)
{
	int port = add_service("zzcat", CAT "max_runtime = 60\n%s", log_reasons());

	daemon_start();
	ck_assert_str_eq(ask(port, "word"), "word");
	service_wait_log("EXIT: zzcat status=0 .* reason=exit$");
}
END_TEST

/* Says so, then does not end at SIGTERM. */
static const char *stubborn(void)
{
	return place_script("stubborn", "trap '' TERM; echo ready; read word; read word");
}

static int hold_stubborn(int port)
{
	int fd = client_connect(NULL, port);

	client_expect(fd, "ready\n");
	return fd;
}

START_TEST(a_program_that_ignores_it_is_killed)
{
	int port = add_service("zzbad", "server = %s\nmax_runtime = 1\nkill_timeout = 1\n%s",
			       stubborn(), log_reasons());

	daemon_start();
	client_expect_end(hold_stubborn(port));
	service_wait_log("EXIT: zzbad signal=9 .* reason=max_runtime$");
}
END_TEST

START_TEST(the_whole_process_group_is_ended)
{
	int port = add_service("zzgroup", "server = %s\nmax_runtime = 1\n%s",
			       place_script("group", "exec 3<&0; cat <&3 & echo ready; wait"),
			       log_reasons());

	daemon_start();
	client_expect_end(hold_stubborn(port)); /* cat has the connection, too */
	service_wait_log("EXIT: zzgroup signal=15 .* reason=max_runtime$");
}
END_TEST

START_TEST(a_wait_server_ends_too)
{
	int port = add_service("zzwait", "server = %s\nwait = yes\nmax_runtime = 1\n%s",
			       place_program("wait_stream"), log_reasons()),
	    fd;
	char *first;

	daemon_start();
	fd = client_connect(NULL, port);
	first = client_read_line(fd);
	client_expect_end(fd);
	service_wait_log("EXIT: zzwait signal=15 .* reason=max_runtime$");
	fd = client_connect(NULL, port);
	ck_assert_str_ne(client_read_line(fd), first);
}
END_TEST

/* The server ignores the signal: its client is not disconnected because of it. */
START_TEST(a_connection_of_intercept_ends_too)
{
	const char *server =
		place_script("server", "trap '' TERM; exec %s", place_program("wait_stream"));
	int port = add_service("zzwait",
			       "server = %s\nwait = yes\nflags = INTERCEPT\nmax_runtime = 1\n"
			       "kill_timeout = 3\n%s",
			       server, log_reasons()),
	    fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_read_line(fd);
	client_expect_end(fd);
	service_wait_log("EXIT: zzwait status=0 pid=0 .* reason=max_runtime$");
	service_wait_log("EXIT: zzwait signal=9 pid=[1-9].* reason=max_runtime$");
}
END_TEST

/* A frontend that does nothing, as one might that was taken over. */
START_TEST(the_frontend_is_not_needed_for_it)
{
	int port = add_service("zzcat", CAT "max_runtime = 1\n%s", log_reasons()), fd;

	daemon_start();
	fd = client_hold(port);
	kill(frontend(), SIGSTOP);
	client_expect_end(fd);
	kill(frontend(), SIGCONT);
	service_wait_log("EXIT: zzcat signal=15 .* reason=max_runtime$");
}
END_TEST

START_TEST(a_crash_of_the_frontend_does_not_prolong_it)
{
	int port = add_service("zzcat", CAT "max_runtime = 1\n%s", log_reasons()), fd;
	pid_t before;

	daemon_start();
	fd = client_hold(port);
	before = frontend();
	kill(before, SIGKILL);
	client_expect_end(fd);
	service_wait_log("EXIT: zzcat signal=15 .* duration=[1-3]\\(sec\\) reason=max_runtime$");
	ck_assert_int_ne(frontend(), before);
}
END_TEST

/* --- reloads --- */

static void reload_with(int port, const char *lines)
{
	configuration_clear();
	add_service("zzcat", CAT "port = %d\n%s%s", port, lines, log_reasons());
	daemon_reload();
}

START_TEST(a_session_keeps_its_limit_when_the_service_loses_it)
{
	int port = add_service("zzcat", CAT "max_runtime = 1\n%s", log_reasons()), fd;

	daemon_start();
	fd = client_hold(port);
	reload_with(port, "");
	client_expect_end(fd);
	service_wait_log("EXIT: zzcat signal=15 .* reason=max_runtime$");
}
END_TEST

START_TEST(a_session_without_limit_gets_none)
{
	int port = add_service("zzcat", CAT "%s", log_reasons()), fd;

	daemon_start();
	fd = client_hold(port);
	reload_with(port, "max_runtime = 1\n");
	client_expect_end(client_hold(port));
	client_ping(fd);
}
END_TEST

/* --- kill_timeout --- */

START_TEST(a_reload_kills_after_kill_timeout)
{
	int port = add_service("zzbad", "server = %s\nkill_timeout = 1\n%s", stubborn(),
			       log_reasons()),
	    fd;
	int64_t began;

	daemon_start();
	fd = hold_stubborn(port);
	configuration_clear();
	add_service("zzother", CAT);
	began = now_ms();
	daemon_reload();
	client_expect_end(fd);
	ck_assert_int_lt(now_ms() - began, 4500);
	service_wait_log("EXIT: zzbad signal=9 .* reason=reload$");
}
END_TEST

START_TEST(the_daemon_kills_after_kill_timeout)
{
	int port = add_service("zzbad", "server = %s\nkill_timeout = 1\n%s", stubborn(),
			       log_reasons());
	int64_t began;

	daemon_start();
	hold_stubborn(port);
	began = now_ms();
	daemon_stop();
	ck_assert_int_ge(now_ms() - began, 1000);
	ck_assert_int_lt(now_ms() - began, 4500);
	ck_assert(text_matches(service_log(), "EXIT: zzbad signal=9 .* reason=stop$"));
}
END_TEST

/* --- what the daemon serves itself --- */

static const char *const lasting[] = { "echo", "discard", "chargen", "tcpmux" };

START_TEST(a_builtin_ends_after_max_runtime)
{
	const char *name = lasting[_i];
	int port =
		add_service(name, "type = INTERNAL UNLISTED\nmax_runtime = 1\n%s", log_reasons());

	daemon_start();
	client_read_all(client_connect(NULL, port));
	service_wait_log(LOG_TIME "EXIT: %s status=0 .* reason=max_runtime$", name);
}
END_TEST

START_TEST(a_redirect_ends_after_max_runtime)
{
	int target = add_service("zzcat", CAT);
	int port = add_service("zzrd",
			       "redirect = 127.0.0.1 %d\nmax_runtime = 1\n%s"
			       "log_on_success += TRAFFIC\n",
			       target, log_reasons());

	daemon_start();
	client_expect_end(client_hold(port));
	service_wait_log("EXIT: zzrd status=0 .* reason=max_runtime$");
	ck_assert(text_matches(service_log(), "TRAFFIC: zzrd in=[1-9][0-9]*\\(bytes\\) "));
}
END_TEST

Suite *limits_in_time_suite(void)
{
	Suite *suite = suite_create("limits_in_time");
	TCase *start = daemon_tcase(suite, "start_timeout");
	TCase *runtime = daemon_tcase(suite, "max_runtime");
	TCase *grace = daemon_tcase(suite, "kill_timeout");

	tcase_add_loop_test(start, a_client_that_does_not_read_its_banner_is_refused, 0,
			    sizeof banners / sizeof banners[0]);
	tcase_add_test(start, a_client_that_is_served_in_time_is_not_concerned);
	tcase_add_test(start, a_client_of_tcpmux_names_its_service_in_time);
	tcase_add_test(start, a_client_that_keeps_the_reply_of_tcpmux_is_not_refused);
	tcase_add_test(start, a_program_of_an_earlier_frontend_is_not_concerned);
	tcase_add_test(runtime, a_program_ends_after_max_runtime);
	tcase_add_test(runtime, a_program_that_ends_earlier_ends_by_itself);
	tcase_add_test(runtime, a_program_that_ignores_it_is_killed);
	tcase_add_test(runtime, the_whole_process_group_is_ended);
	tcase_add_test(runtime, a_wait_server_ends_too);
	tcase_add_test(runtime, a_connection_of_intercept_ends_too);
	tcase_add_test(runtime, the_frontend_is_not_needed_for_it);
	tcase_add_test(runtime, a_crash_of_the_frontend_does_not_prolong_it);
	tcase_add_test(runtime, a_session_keeps_its_limit_when_the_service_loses_it);
	tcase_add_test(runtime, a_session_without_limit_gets_none);
	tcase_add_loop_test(runtime, a_builtin_ends_after_max_runtime, 0,
			    sizeof lasting / sizeof lasting[0]);
	tcase_add_test(runtime, a_redirect_ends_after_max_runtime);
	tcase_add_test(grace, a_reload_kills_after_kill_timeout);
	tcase_add_test(grace, the_daemon_kills_after_kill_timeout);
	return suite;
}
