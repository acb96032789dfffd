/* What the kernel says of a TCP connection. */
#include "base/tcp_state.h"
#include "support/client.h"
#include "support/deadline.h"

#include <check.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int peer = -1, own = -1;
static struct tcp_state state;

static void set_up(void)
{
	struct endpoint here = endpoint_of(NULL, 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	peer = client_connect(NULL, client_port(listener));
	own = accept(listener, NULL, NULL);
	ck_assert_int_ge(own, 0);
	close(listener);
}

static void tear_down(void)
{
	if (peer >= 0)
		close(peer);
	close(own);
}

static const struct tcp_state *now(void)
{
	ck_assert_int_eq(tcp_state_read(own, &state), 0);
	return &state;
}

static void reset(void)
{
	client_reset(peer);
	peer = -1;
}

START_TEST(begins_with_nothing)
{
	now();
	ck_assert(!state.is_over && !state.peer_is_done && !state.is_finished);
	ck_assert_uint_eq(state.received + state.acked + state.written + state.moved, 0);
}
END_TEST

START_TEST(counts_both_directions)
{
	client_send(peer, "12345");
	client_send(own, "123");
	wait_until(now()->acked == 3 && state.received == 5);
	ck_assert_uint_eq(state.written, 3);
	ck_assert_uint_eq(state.moved, 5 + 3 + 3);
	ck_assert_uint_lt(state.data_ms, DEADLINE_MS);
	ck_assert_uint_lt(state.ack_ms, DEADLINE_MS);
}
END_TEST

/* The peer does not read, and has no room for it. */
START_TEST(counts_what_could_not_be_sent_yet)
{
	static char bytes[65536];
	size_t sent = 0;
	ssize_t length;

	while ((length = send(own, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		sent += (size_t)length;
	ck_assert_uint_eq(now()->written, sent);
	ck_assert_uint_lt(state.acked, sent);
	ck_assert(!state.is_finished);
}
END_TEST

START_TEST(sees_the_peers_end)
{
	client_send(peer, "12345");
	client_finish_sending(peer);
	wait_until(now()->peer_is_done);
	ck_assert(!state.is_over && !state.is_finished);
	ck_assert_uint_eq(state.received, 5 + 1);
}
END_TEST

START_TEST(sees_its_own_end)
{
	client_send(own, "123");
	client_finish_sending(own);
	wait_until(now()->is_finished);
	ck_assert(!state.is_over && !state.peer_is_done);
	ck_assert_uint_eq(state.written, 3);
	ck_assert_uint_eq(state.acked, 3 + 1);
}
END_TEST

START_TEST(tells_an_end_of_both_from_a_reset)
{
	if (_i == 1) {
		client_finish_sending(own);
		wait_until(now()->is_finished);
		client_finish_sending(peer);
	} else {
		reset();
	}
	wait_until(now()->is_over);
	ck_assert(state.is_finished == (_i == 1));
}
END_TEST

START_TEST(takes_no_error_away)
{
	int error = 0;
	socklen_t size = sizeof error;

	reset();
	wait_until(now()->is_over);
	ck_assert_int_eq(getsockopt(own, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	ck_assert_int_ne(error, 0);
}
END_TEST

START_TEST(knows_only_tcp)
{
	int datagrams = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(tcp_state_read(datagrams, &state), -1);
	close(datagrams);
}
END_TEST

START_TEST(counts_what_waits_to_be_accepted)
{
	struct endpoint here = endpoint_of(NULL, 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fds[2];
	struct tcp_queue queue;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_lt(tcp_queue_read(listener, &queue), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	ck_assert_int_eq(tcp_queue_read(listener, &queue), 0);
	ck_assert_uint_eq(queue.length, 0);
	ck_assert_uint_eq(queue.limit, 5);
	for (int i = 0; i < 2; i++)
		fds[i] = client_connect(NULL, client_port(listener));
	ck_assert_int_eq(tcp_queue_read(listener, &queue), 0);
	ck_assert_uint_eq(queue.length, 2);
	ck_assert_int_lt(tcp_queue_read(fds[0], &queue), 0);
	ck_assert_int_lt(tcp_queue_read(STDIN_FILENO, &queue), 0);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
	close(listener);
}
END_TEST

Suite *tcp_state_suite(void)
{
	Suite *suite = suite_create("tcp_state");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, begins_with_nothing);
	tcase_add_test(all, counts_both_directions);
	tcase_add_test(all, counts_what_could_not_be_sent_yet);
	tcase_add_test(all, sees_the_peers_end);
	tcase_add_test(all, sees_its_own_end);
	tcase_add_loop_test(all, tells_an_end_of_both_from_a_reset, 0, 2);
	tcase_add_test(all, takes_no_error_away);
	tcase_add_test(all, knows_only_tcp);
	tcase_add_test(all, counts_what_waits_to_be_accepted);
	suite_add_tcase(suite, all);
	return suite;
}
