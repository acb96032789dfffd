/* How connections of programs end: in order, for their silence, or because the client is gone; and
 * how many bytes they carried. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MUCH = 64 * 1024 };

static const char *everything(void)
{
	return textf("%slog_on_success += REASON\n", log_everything());
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect_order(int fd)
{
	int error = client_end(fd);

	ck_assert_msg(error == 0, "the end was no order: %s", strerror(error));
	close(fd);
}

static const char *text_of(size_t length)
{
	char *text = keep(malloc(length + 1));

	memset(text, 'x', length);
	text[length] = '\0';
	return text;
}

static bool can_send(int fd)
{
	return send(fd, "more", 4, MSG_NOSIGNAL) == 4;
}

/* --- lingering_close ------------------------------------------------------------------------ */

/* A shell, whose command must not hold the word's quotes. */
#define SHELL(command) "server = /bin/sh\nserver_args = -c \"" command "\"\n"
#define LINGERS "lingering_close = yes\n"

static const size_t requests[] = { 1, MUCH };

/* The program reads nothing, and the client goes on sending after it has ended. */
START_TEST(an_answer_is_not_cut)
{
	int port = add_service("zzhello", HELLO LINGERS "%s", everything()), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, text_of(requests[_i]));
	service_wait_log("EXIT: zzhello status=0 .* reason=exit$");
	client_send(fd, text_of(requests[_i]));
	client_expect(fd, "hello\n");
	expect_order(fd);
}
END_TEST

/* The program waits for the request, of which it reads only the first line. */
START_TEST(unless_asked_for_it_is)
{
	int port = add_service("zzhello", SHELL("read line; echo hello") "%s", everything()), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, textf("\n%s", text_of(requests[_i])));
	client_expect(fd, "hello\n");
	ck_assert_int_eq(client_end(fd), ECONNRESET);
}
END_TEST

START_TEST(a_client_that_sends_for_ever_is_left)
{
	int port = add_service("zzhello", HELLO "lingering_close = 1\n"), fd;
	int64_t began;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, "x");
	client_expect(fd, "hello\n");
	began = milliseconds();
	ck_assert_int_eq(client_end(fd), 0);
	wait_until(!can_send(fd));
	ck_assert_int_ge(milliseconds() - began, 500);
	close(fd);
}
END_TEST

START_TEST(a_connection_that_lingers_takes_no_place)
{
	int port = add_service("zzhello", HELLO "lingering_close = 600\ninstances = 1\n%s",
			       everything());
	int first, second;

	daemon_start();
	first = client_connect(NULL, port);
	client_expect(first, "hello\n");
	service_wait_log("EXIT: zzhello");
	second = client_connect(NULL, port);
	client_expect(second, "hello\n");
	ck_assert(can_send(first) && can_send(second));
	expect_order(first);
	expect_order(second);
}
END_TEST

static void have_few_descriptors(void)
{
	struct rlimit limit = { .rlim_cur = 40, .rlim_max = 40 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

START_TEST(connections_that_linger_make_room)
{
	enum { CLIENTS = 100 };
	int port =
		add_service("zzhello", HELLO "lingering_close = 600\ncps = 0 0\n%s", everything());
	int fds[CLIENTS];

	daemon_start_with(&(struct daemon_options){ .prepare = have_few_descriptors });
	for (unsigned i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(NULL, port);
		client_expect(fds[i], "hello\n");
		service_wait_lines(i + 1, "EXIT: zzhello");
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}
END_TEST

START_TEST(who_gets_the_connection_from_the_program_keeps_it)
{
	int port = add_service("zzhand",
			       SHELL("exec 3<&0; (read word; echo got $word) <&3 & exit 0") LINGERS
			       "%s",
			       everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	ck_assert(client_hears_nothing(fd));
	client_send(fd, "word\n");
	client_expect(fd, "got word\n");
	close(fd);
}
END_TEST

/* A process of a session of its own, while the program goes on without the connection. */
START_TEST(so_does_one_that_has_left_the_session)
{
	int port = add_service("zzhand",
			       SHELL("exec 3<&0; setsid sh -c 'read word; echo got $word' <&3 & "
				     "exec sleep 1000 <&- 3<&- >&- 2>&-") LINGERS);
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	for (int i = 0; i < 4; i++)
		ck_assert(client_hears_nothing(fd));
	client_send(fd, "word\n");
	client_expect(fd, "got word\n");
	expect_order(fd);
}
END_TEST

/* The program has ended, and so has its process group. */
START_TEST(so_does_one_that_is_left_alone)
{
	int port = add_service("zzhand",
			       SHELL("exec 3<&0; (setsid sh -c 'read word; echo got $word' <&3 &)")
				       LINGERS "%s",
			       everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	for (int i = 0; i < 4; i++)
		ck_assert(client_hears_nothing(fd));
	client_send(fd, "word\n");
	client_expect(fd, "got word\n");
	expect_order(fd);
	service_wait_log("EXIT: zzhand status=0 .* reason=exit$");
}
END_TEST

static const char *const kept_for[] = {
	LINGERS,
	"idle_timeout = 1000\n",
	"kill_on_disconnect = reset\n",
	"log_on_success += TRAFFIC\n",
};

/* The daemon's descriptor must not hide that. The program counts still. */
START_TEST(a_program_may_close_its_connection)
{
	int port =
		add_service("zzbye",
			    SHELL("echo bye; exec sleep 1000 <&- >&- 2>&-") "instances = 1\n%s%s",
			    everything(), kept_for[_i]);
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "bye\n");
	expect_order(fd);
	ck_assert(process_runs(process_child(daemon_pid())));
	ck_assert_str_eq(ask(port, "another"), "");
	service_wait_log("FAIL: zzbye service_limit");
	ck_assert(!text_matches(service_log(), "EXIT"));
}
END_TEST

START_TEST(a_program_cannot_stop_the_daemon_when_it_ends)
{
	int port = add_service("zzfill", "server = %s\nserver_args = fill-and-end\n%s%s",
			       place_program("connection_end"), everything(), kept_for[_i]);
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("EXIT: zzfill status=0");
	ck_assert_str_eq(ask(echo, "lives"), "lives");
	close(fd);
}
END_TEST

/* It was served: there is nothing to refuse any more. */
START_TEST(a_reload_refuses_no_client_that_lingers)
{
	int port = add_service("zzhello", HELLO "lingering_close = 600\n%s", everything()), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "hello\n");
	service_wait_log("EXIT: zzhello");
	configuration_clear();
	add_service("zzhello", HELLO "port = %d\nno_access = 127.0.0.1\n%s", port, everything());
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzhello address from=");
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "FAIL"), 1);
	ck_assert_int_eq(client_end(fd), 0);
}
END_TEST

START_TEST(a_removed_service_lingers_no_more)
{
	int port = add_service("zzhello", HELLO "lingering_close = 600\n%s", everything()), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "hello\n");
	service_wait_log("EXIT: zzhello");
	configuration_clear();
	add_service("echo", "type = INTERNAL UNLISTED\n");
	daemon_reload();
	wait_until(!can_send(fd));
	close(fd);
}
END_TEST

START_TEST(a_refusal_is_not_cut)
{
	int port, fd;

	place_write("banner", "go away\n");
	port = add_service("zzno", HELLO "no_access = 127.0.0.1\nbanner_fail = %s\n%s",
			   place_path("banner"), everything());
	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, text_of(requests[_i]));
	service_wait_log("FAIL: zzno");
	client_send(fd, text_of(requests[_i]));
	client_expect(fd, "go away\n");
	expect_order(fd);
}
END_TEST

/* --- idle_timeout ----------------------------------------------------------------------------- */

START_TEST(a_silent_program_is_ended)
{
	int port = add_service("zzcat", CAT "idle_timeout = 1\n%s", everything()), fd;
	int64_t began;

	daemon_start();
	fd = client_hold(port);
	began = milliseconds();
	expect_order(fd);
	ck_assert_int_ge(milliseconds() - began, 990);
	service_wait_log(LOG_TIME "EXIT: zzcat signal=15 .* reason=idle_timeout$");
}
END_TEST

/* It hears something, or says something, for longer than idle_timeout. */
START_TEST(who_sends_or_hears_is_not_idle)
{
	enum { IDLE_MS = 2000 };
	int port = add_service("zzcat", CAT "idle_timeout = 2\n"), fd;
	int64_t began, last, now;
	char byte = 'x';

	daemon_start();
	fd = client_hold(port);
	for (began = last = now = milliseconds(); now - began < 3 * IDLE_MS; last = now) {
		struct pollfd answer = { .fd = fd, .events = POLLIN };
		bool lives;

		poll(NULL, 0, IDLE_MS / 3);
		lives = send(fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
			poll(&answer, 1, DEADLINE_MS) == 1 && recv(fd, &byte, 1, 0) == 1;
		now = milliseconds();
		if (!lives && now - last >= IDLE_MS) /* it was idle: this machine is too slow */
			break;
		ck_assert_msg(lives, "ended after %d ms", (int)(now - last));
	}
	close(fd);
}
END_TEST

/* All that it sends is in the buffers. The client takes some of it now and then. */
START_TEST(a_slow_reader_is_not_idle)
{
	enum { IDLE_MS = 2000 };
	int port = add_service("zzfill", "server = %s\nserver_args = fill\nidle_timeout = 2\n%s",
			       place_program("connection_end"), everything());
	int64_t began, last, now;
	char *bytes = keep(malloc(MUCH));
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	for (began = last = now = milliseconds(); now - began < 3 * IDLE_MS; last = now) {
		poll(NULL, 0, IDLE_MS / 4);
		for (int i = 0; i < 4; i++)
			ck_assert_int_ge(recv(fd, bytes, MUCH, 0), 0);
		now = milliseconds();
		if (text_matches(service_log(), "EXIT") && now - last >= IDLE_MS)
			break;
		ck_assert(!text_matches(service_log(), "EXIT"));
	}
	close(fd);
}
END_TEST

START_TEST(who_does_not_read_is_idle)
{
	int port = add_service("zzfill", "server = %s\nserver_args = fill\nidle_timeout = 1\n%s",
			       place_program("connection_end"), everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("EXIT: zzfill signal=15 .* reason=idle_timeout$");
	close(fd);
}
END_TEST

/* --- kill_on_disconnect ----------------------------------------------------------------------- */

#define SLEEPS "server = /bin/sleep\nserver_args = 1000\n"

static const char *const disconnects[] = { "reset", "fin" };

START_TEST(a_reset_ends_the_program)
{
	int port = add_service("zzsleep", SLEEPS "kill_on_disconnect = %s\n%s", disconnects[_i],
			       everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("START: zzsleep");
	client_reset(fd);
	service_wait_log(LOG_TIME "EXIT: zzsleep signal=15 .* reason=disconnect$");
}
END_TEST

START_TEST(an_end_of_sending_ends_it_when_asked)
{
	int port = add_service("zzsleep", SLEEPS "kill_on_disconnect = fin\n%s", everything()), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("START: zzsleep");
	client_finish_sending(fd);
	service_wait_log(LOG_TIME "EXIT: zzsleep signal=15 .* reason=disconnect$");
	expect_order(fd);
}
END_TEST

/* Otherwise it is a request's end. What is reported again and again costs nothing. */
START_TEST(otherwise_it_does_not)
{
	int port = add_service("zzsleep",
			       SLEEPS "kill_on_disconnect = reset\n%s"
				      "log_on_success += TRAFFIC\n",
			       everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("START: zzsleep");
	client_finish_sending(fd);
	daemon_check_calm(fd);
	ck_assert(!text_matches(service_log(), "EXIT"));
	client_reset(fd);
	service_wait_log(LOG_TIME "EXIT: zzsleep signal=15 .* reason=disconnect$");
}
END_TEST

START_TEST(unless_asked_for_nothing_ends_it)
{
	int port = add_service("zzsleep", SLEEPS "idle_timeout = 1000\n%s", everything());
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), fd, other;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("START: zzsleep");
	client_reset(fd);
	other = client_hold(echo);
	daemon_check_calm(other);
	ck_assert(!text_matches(service_log(), "EXIT"));
}
END_TEST

static const char *const tricks[] = { "shut-both", "shut-reading" };

/* For the kernel that looks like the client's doing. */
START_TEST(what_the_program_does_itself_does_not_end_it)
{
	int port =
		add_service("zzshut", "server = %s\nserver_args = %s\nkill_on_disconnect = %s\n%s",
			    place_program("connection_end"), tricks[_i / 2], disconnects[_i % 2],
			    everything());
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n"), fd, other;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("START: zzshut");
	other = client_hold(echo);
	daemon_check_calm(other);
	ck_assert(!text_matches(service_log(), "EXIT"));
	client_reset(fd);
	if (_i / 2 == 1)
		service_wait_log(LOG_TIME "EXIT: zzshut signal=15 .* reason=disconnect$");
}
END_TEST

/* --- TRAFFIC ---------------------------------------------------------------------------------- */

#define COUNTS "%slog_on_success += TRAFFIC\n"

static void expect_traffic(const char *name, int in, int out)
{
	service_wait_log(LOG_TIME "EXIT: %s ", name);
	service_wait_log(LOG_TIME "TRAFFIC: %s in=%d\\(bytes\\) out=%d\\(bytes\\)$", name, in, out);
}

START_TEST(bytes_of_programs_are_counted)
{
	int port = add_service("zzcat", CAT COUNTS, log_everything());

	daemon_start();
	ck_assert_str_eq(ask(port, "0123456789"), "0123456789");
	expect_traffic("zzcat", 10, 10);
}
END_TEST

START_TEST(many_are_counted_too)
{
	int port = add_service("zzcat", "server = /usr/bin/wc\nserver_args = -c\n" COUNTS,
			       log_everything());

	daemon_start();
	ck_assert_str_eq(ask(port, text_of(MUCH)), "65536\n");
	expect_traffic("zzcat", MUCH, 6);
}
END_TEST

/* It may not have read them. */
START_TEST(bytes_that_came_are_counted)
{
	int port = add_service("zzsleep", SLEEPS "kill_on_disconnect = reset\n" COUNTS,
			       log_everything());
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, "12345");
	service_wait_log("START: zzsleep");
	client_reset(fd);
	expect_traffic("zzsleep", 5, 0);
}
END_TEST

START_TEST(the_daemons_own_bytes_are_not)
{
	int port = add_service("tcpmux", "type = INTERNAL UNLISTED\n");

	place_write("banner", "a banner\n");
	configure("service zzplus\n{\n\ttype = UNLISTED TCPMUXPLUS\n\tsocket_type = stream\n"
		  "\tprotocol = tcp\n\twait = no\n\tuser = %s\n\tbanner_success = %s\n" CAT COUNTS
		  "}\n",
		  current_user(), place_path("banner"), log_everything());
	daemon_start();
	ck_assert(text_matches(ask(port, "zzplus\r\nword"), "word"));
	expect_traffic("zzplus", 4, 4);
}
END_TEST

/* --- a crash of the frontend ------------------------------------------------------------------ */

static pid_t frontend(void)
{
	pid_t pid;

	wait_until((pid = process_frontend(daemon_pid())) > 0);
	return pid;
}

/* Its descriptors are lost, and no program or connection is. */
START_TEST(a_crash_of_the_frontend_ends_no_connection)
{
	int port = add_service("zzcat", CAT LINGERS "idle_timeout = 1000\n%s", everything()), fd;
	pid_t before;

	daemon_start();
	fd = client_hold(port);
	before = frontend();
	ck_assert_int_eq(kill(before, SIGKILL), 0);
	wait_until(process_frontend(daemon_pid()) > 0 && process_frontend(daemon_pid()) != before);
	client_ping(fd);
	client_finish_sending(fd);
	expect_order(fd);
	service_wait_log("EXIT: zzcat status=0");
}
END_TEST

Suite *connection_end_suite(void)
{
	Suite *suite = suite_create("connection_end");
	TCase *lingering = daemon_tcase(suite, "lingering");
	TCase *idle = daemon_tcase(suite, "idle");
	TCase *disconnect = daemon_tcase(suite, "disconnect");
	TCase *traffic = daemon_tcase(suite, "traffic");

	tcase_add_loop_test(lingering, an_answer_is_not_cut, 0, 2);
	tcase_add_loop_test(lingering, unless_asked_for_it_is, 0, 2);
	tcase_add_test(lingering, a_client_that_sends_for_ever_is_left);
	tcase_add_test(lingering, a_connection_that_lingers_takes_no_place);
	tcase_add_test(lingering, connections_that_linger_make_room);
	tcase_add_test(lingering, who_gets_the_connection_from_the_program_keeps_it);
	tcase_add_test(lingering, so_does_one_that_has_left_the_session);
	tcase_add_test(lingering, so_does_one_that_is_left_alone);
	tcase_add_loop_test(lingering, a_program_may_close_its_connection, 0, 4);
	tcase_add_loop_test(lingering, a_program_cannot_stop_the_daemon_when_it_ends, 0, 4);
	tcase_add_test(lingering, a_reload_refuses_no_client_that_lingers);
	tcase_add_test(lingering, a_removed_service_lingers_no_more);
	tcase_add_test(lingering, a_crash_of_the_frontend_ends_no_connection);
	tcase_add_loop_test(lingering, a_refusal_is_not_cut, 0, 2);
	tcase_add_test(idle, a_silent_program_is_ended);
	tcase_add_test(idle, who_sends_or_hears_is_not_idle);
	tcase_add_test(idle, a_slow_reader_is_not_idle);
	tcase_add_test(idle, who_does_not_read_is_idle);
	tcase_add_loop_test(disconnect, a_reset_ends_the_program, 0, 2);
	tcase_add_test(disconnect, an_end_of_sending_ends_it_when_asked);
	tcase_add_test(disconnect, otherwise_it_does_not);
	tcase_add_test(disconnect, unless_asked_for_nothing_ends_it);
	tcase_add_loop_test(disconnect, what_the_program_does_itself_does_not_end_it, 0, 4);
	tcase_add_test(traffic, bytes_of_programs_are_counted);
	tcase_add_test(traffic, many_are_counted_too);
	tcase_add_test(traffic, bytes_that_came_are_counted);
	tcase_add_test(traffic, the_daemons_own_bytes_are_not);
	return suite;
}
