#include "base/clock.h"
#include "base/loop.h"
#include "support/client.h"
#include "support/place.h"
#include "support/stage.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONNECT_DEADLINE_MS = 10 * 1000, DESCRIPTORS_MAX = 256 };

#define START "START: svc pid=0\n"
#define EXIT "EXIT: svc status=0 pid=0\n"

static int target;        /* where connections are redirected to */
static int accepted = -1; /* one of them */
static int queued[2];     /* connections that fill the target's queue */

/* --- the target ---------------------------------------------------------------------- */

static int listen_at(const char *host, int port, int backlog)
{
	struct endpoint here = endpoint_of(host, port);
	int fd = socket(here.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

static void set_up(void)
{
	stage_set_up();
	target = listen_at(NULL, 0, 5);
	accepted = -1;
	stage.settings->redirect_host = textf("127.0.0.1");
	stage.settings->redirect_port = (uint16_t)client_port(target);
}

static void tear_down(void)
{
	if (accepted >= 0)
		close(accepted);
	if (target >= 0)
		close(target);
	stage_tear_down();
}

static void close_target(void)
{
	close(target);
	target = -1;
}

static bool target_is_called(void)
{
	if (accepted < 0)
		accepted = accept4(target, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return accepted >= 0;
}

/* The daemon's end of its connection to the target. */
static int descriptor_to_target(void)
{
	int port = client_port(target);

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		struct sockaddr_in peer = { 0 };
		socklen_t size = sizeof peer;

		if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
		    peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
			return fd;
	}
	ck_abort_msg("no descriptor leads to the target");
}

static bool option_is_on(int fd, int level, int option)
{
	int value = 0;
	socklen_t size = sizeof value;

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &size), 0);
	return value != 0;
}

/* A question, an answer and the ends of both. */
static void converse(void)
{
	turn_until(target_is_called());
	client_send(stage.client, "question");
	client_finish_sending(stage.client);
	turn_until(recv(accepted, (char[1]){ 0 }, 1, MSG_PEEK) == 1);
	client_expect(accepted, "question");
	client_send(accepted, "the answer");
	client_finish_sending(accepted);
	turn_until(!stage.session);
	client_expect(stage.client, "the answer");
	client_expect_end(stage.client);
	stage.client = -1;
}

/* --- it works ------------------------------------------------------------------------ */

START_TEST(passes_connections_on)
{
	stage_serve(&redirect_handler);
	ck_assert(stage.has_started);
	ck_assert_str_eq(stage_lines(), START);
	converse();
	ck_assert_str_eq(stage_lines(), "TRAFFIC: svc in=8(bytes) out=10(bytes)\n" EXIT);
	ck_assert_str_eq(stage_messages(), "");
}
END_TEST

START_TEST(passes_on_what_was_sent_before)
{
	stage_connect();
	client_send(stage.client, "early");
	stage_serve(&redirect_handler);
	turn_until(target_is_called());
	turn_until(recv(accepted, (char[1]){ 0 }, 1, MSG_PEEK) == 1);
	client_expect(accepted, "early");
}
END_TEST

START_TEST(sets_the_options_of_its_sockets)
{
	stage.settings->flags = _i ? FLAG_KEEPALIVE : 0;
	stage_serve(&redirect_handler);
	turn_until(target_is_called());
	ck_assert(option_is_on(stage.session->fd, IPPROTO_TCP, TCP_NODELAY));
	ck_assert(option_is_on(descriptor_to_target(), IPPROTO_TCP, TCP_NODELAY));
	ck_assert_int_eq(option_is_on(descriptor_to_target(), SOL_SOCKET, SO_KEEPALIVE), _i);
}
END_TEST

START_TEST(reports_an_end_by_reset)
{
	stage_serve(&redirect_handler);
	turn_until(target_is_called());
	client_send(stage.client, "question");
	client_reset(_i ? stage.client : accepted);
	*(_i ? &stage.client : &accepted) = -1;
	turn_until(!stage.session);
	ck_assert_msg(text_matches(stage_lines(), "^" START "TRAFFIC: svc in=[08]\\(bytes\\) "
						  "out=0\\(bytes\\)\n" EXIT "$"),
		      "row %d", _i);
}
END_TEST

/* --- names ----------------------------------------------------------------------------- */

START_TEST(looks_names_up)
{
	stage.settings->redirect_host = textf("localhost");
	stage_serve(&redirect_handler);
	ck_assert_str_eq(stage_lines(), START);
	converse();
}
END_TEST

START_TEST(remembers_names_for_a_while)
{
	stage.settings->redirect_host = textf("localhost");
	stage_serve(&redirect_handler);
	ck_assert(!target_is_called());
	converse();
	close(accepted);
	accepted = -1;
	stage_serve(&redirect_handler);
	ck_assert(target_is_called()); /* without a turn of the loop */
	converse();
}
END_TEST

START_TEST(is_closed_while_it_looks_up)
{
	stage.settings->redirect_host = textf("localhost");
	stage_serve(&redirect_handler);
	session_close(stage.session);
	ck_assert_ptr_null(stage.session);
	close(stage.client);
	stage_serve(&redirect_handler); /* shares the lookup of the first */
	converse();
}
END_TEST

/* No resolver asks a server about an impossible name. */
START_TEST(reports_a_name_that_is_unknown)
{
	stage.settings->redirect_host = textf("no..such");
	stage_serve(&redirect_handler);
	turn_until(!stage.session);
	ck_assert(text_matches(stage_messages(),
			       "^ERROR: service svc: can't find remote host no\\.\\.such: .+\n$"));
	ck_assert_str_eq(stage_lines(), START EXIT);
	client_expect_end(stage.client);
	stage.client = -1;
}
END_TEST

/* --- nobody answers ---------------------------------------------------------------------- */

START_TEST(reports_that_it_was_refused)
{
	close_target();
	stage_serve(&redirect_handler);
	turn_until(!stage.session);
	ck_assert_str_eq(stage_messages(), "ERROR: service svc: can't connect to remote host "
					   "127.0.0.1: Connection refused\n");
	ck_assert_str_eq(stage_lines(), START EXIT);
	ck_assert(!stage.has_failed);
	client_expect_end(stage.client);
	stage.client = -1;
}
END_TEST

/* Fills the target's queue, so that it does not answer further connections. */
static void make_target_silent(void)
{
	int port = client_port(target);
	struct endpoint there = endpoint_of(NULL, port);

	ck_assert_int_eq(listen(target, 0), 0);
	for (int i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		ck_assert(connect(fd, (struct sockaddr *)&there.address, there.length) == 0 ||
			  errno == EINPROGRESS);
		queued[i] = fd;
	}
}

/* Accepting a connection makes room in the queue. */
static void make_target_answer(void)
{
	for (int i = 0; i < 2; i++) {
		int fd = accept4(target, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			close(fd);
		close(queued[i]);
	}
}

START_TEST(does_not_wait_for_ever)
{
	make_target_silent();
	stage_serve(&redirect_handler);
	loop_turn(0);
	timers_run(clock_now() + CONNECT_DEADLINE_MS - 2000);
	ck_assert_ptr_nonnull(stage.session);
	timers_run(clock_now() + CONNECT_DEADLINE_MS);
	ck_assert_ptr_null(stage.session);
	ck_assert_str_eq(stage_messages(), "ERROR: service svc: can't connect to remote host "
					   "127.0.0.1: Connection timed out\n");
	ck_assert_str_eq(stage_lines(), START EXIT);
}
END_TEST

START_TEST(connects_when_the_target_answers_late)
{
	make_target_silent();
	stage_serve(&redirect_handler);
	loop_turn(0);
	make_target_answer();
	turn_until(target_is_called());
	client_send(accepted, "late");
	turn_until(recv(stage.client, (char[1]){ 0 }, 1, MSG_PEEK) == 1);
	timers_run(clock_now() + 2 * CONNECT_DEADLINE_MS);
	ck_assert_ptr_nonnull(stage.session);
	client_expect(stage.client, "late");
	converse();
}
END_TEST

START_TEST(is_closed_while_it_connects)
{
	make_target_silent();
	stage_serve(&redirect_handler);
	loop_turn(0);
	session_close(stage.session);
	ck_assert_ptr_null(stage.session);
	loop_turn(0);
	timers_run(clock_now() + 2 * CONNECT_DEADLINE_MS);
	ck_assert_str_eq(stage_messages(), "");
	client_expect_end(stage.client);
	stage.client = -1;
}
END_TEST

START_TEST(is_closed_while_it_passes_on)
{
	stage_serve(&redirect_handler);
	turn_until(target_is_called());
	session_close(stage.session);
	ck_assert_ptr_null(stage.session);
	loop_turn(0);
	client_expect_end(stage.client);
	client_expect_end(accepted);
	stage.client = accepted = -1;
	ck_assert_str_eq(stage_lines(), START);
}
END_TEST

START_TEST(reports_a_lack_of_descriptors)
{
	struct rlimit before, none;

	stage_connect();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	stage_serve(&redirect_handler);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_ptr_null(stage.session);
	ck_assert_str_eq(stage_messages(), "ERROR: service svc: can't connect to remote host "
					   "127.0.0.1: Too many open files\n");
	ck_assert_str_eq(stage_lines(), START EXIT);
}
END_TEST

Suite *redirect_suite(void);

Suite *redirect_suite(void)
{
	Suite *suite = suite_create("redirect");
	TCase *working = tcase_create("working"), *failing = tcase_create("failing");

	tcase_add_checked_fixture(working, set_up, tear_down);
	tcase_set_timeout(working, 30);
	tcase_add_test(working, passes_connections_on);
	tcase_add_test(working, passes_on_what_was_sent_before);
	tcase_add_loop_test(working, sets_the_options_of_its_sockets, 0, 2);
	tcase_add_loop_test(working, reports_an_end_by_reset, 0, 2);
	tcase_add_test(working, looks_names_up);
	tcase_add_test(working, remembers_names_for_a_while);
	tcase_add_test(working, is_closed_while_it_looks_up);
	tcase_add_test(working, is_closed_while_it_passes_on);
	suite_add_tcase(suite, working);

	tcase_add_checked_fixture(failing, set_up, tear_down);
	tcase_set_timeout(failing, 30);
	tcase_add_test(failing, reports_a_name_that_is_unknown);
	tcase_add_test(failing, reports_that_it_was_refused);
	tcase_add_test(failing, does_not_wait_for_ever);
	tcase_add_test(failing, connects_when_the_target_answers_late);
	tcase_add_test(failing, is_closed_while_it_connects);
	tcase_add_test(failing, reports_a_lack_of_descriptors);
	suite_add_tcase(suite, failing);
	return suite;
}
