/* Connections that are closed in order. */
#include "handlers/linger.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "support/client.h"
#include "support/deadline.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
	struct lingering lingering;
	int own, peer;
	unsigned done;
};

static struct end end;
static int owner, other;

static void connect_both(struct end *which)
{
	struct endpoint here = endpoint_of(NULL, 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	memset(which, 0, sizeof *which);
	which->peer = client_connect(NULL, client_port(listener));
	which->own = accept(listener, NULL, NULL);
	ck_assert_int_ge(which->own, 0);
	close(listener);
}

static void set_up(void)
{
	ck_assert_int_eq(loop_init(), 0);
	connect_both(&end);
}

static void tear_down(void)
{
	linger_stop(&end.lingering);
	if (end.peer >= 0)
		close(end.peer);
	close(end.own);
	loop_free();
}

static void on_done(struct lingering *lingering)
{
	struct end *which = container_of(lingering, struct end, lingering);

	ck_assert(!watch_is_started(&lingering->watch));
	which->done++;
	close(which->own);
	which->own = -1;
}

static bool start(struct end *which, uint64_t ms)
{
	return linger_start(&which->lingering, which->own, ms, &owner, on_done);
}

static bool turn(void)
{
	loop_turn(1);
	return true;
}

#define turn_until(condition) wait_until(turn() && (condition))

START_TEST(drops_what_comes_until_the_end)
{
	client_send(end.own, "answer");
	client_send(end.peer, "never read");
	ck_assert(start(&end, 60000));
	client_send(end.peer, "neither is this");
	turn();
	ck_assert_uint_eq(end.done, 0);
	client_finish_sending(end.peer);
	turn_until(end.done == 1);
	client_expect(end.peer, "answer");
	ck_assert_int_eq(client_end(end.peer), 0);
}
END_TEST

START_TEST(has_nothing_to_wait_for_when_the_peer_has_finished)
{
	client_finish_sending(end.peer);
	if (_i == 1)
		client_finish_sending(end.own);
	wait_until(recv(end.own, (char[1]){ 0 }, 1, MSG_DONTWAIT) == 0);
	ck_assert(!start(&end, 60000));
	ck_assert_uint_eq(end.done, 0);
}
END_TEST

START_TEST(has_nothing_to_wait_for_after_a_reset)
{
	client_reset(end.peer);
	end.peer = -1;
	wait_until(recv(end.own, (char[1]){ 0 }, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET);
	ck_assert(!start(&end, 60000));
}
END_TEST

START_TEST(ends_with_a_reset)
{
	ck_assert(start(&end, 60000));
	client_reset(end.peer);
	end.peer = -1;
	turn_until(end.done == 1);
}
END_TEST

START_TEST(ends_in_time)
{
	ck_assert(start(&end, 1000));
	turn();
	ck_assert_uint_eq(end.done, 0);
	timers_run(clock_now() + 1000);
	ck_assert_uint_eq(end.done, 1);
}
END_TEST

/* Traffic does not make it longer. */
START_TEST(ends_after_so_many_bytes)
{
	static char bytes[1 << 20];
	size_t sent = 0;

	ck_assert(start(&end, 600000));
	for (struct deadline deadline = deadline_in(DEADLINE_MS); end.done == 0;) {
		ssize_t some = send(end.peer, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

		ck_assert_int_gt(deadline_left(&deadline), 0);
		sent += some > 0 ? (size_t)some : 0;
		loop_turn(0);
	}
	ck_assert_uint_ge(sent, LINGER_BYTES_MAX);
}
END_TEST

START_TEST(is_not_done_after_it_was_stopped)
{
	ck_assert(start(&end, 1000));
	linger_stop(&end.lingering);
	linger_stop(&end.lingering);
	client_finish_sending(end.peer);
	turn();
	timers_run(clock_now() + 1000);
	ck_assert_uint_eq(end.done, 0);
	ck_assert(!linger_make_room(&owner));
}
END_TEST

START_TEST(makes_room_for_its_owner_alone)
{
	struct end older = end;

	memset(&older.lingering, 0, sizeof older.lingering);
	ck_assert(start(&older, 60000));
	connect_both(&end);
	ck_assert(start(&end, 60000));
	ck_assert(!linger_make_room(&other));
	ck_assert(linger_make_room(&owner));
	ck_assert(older.done == 1 && end.done == 0);
	ck_assert(linger_make_room(&owner));
	ck_assert(end.done == 1 && !linger_make_room(&owner));
	close(older.peer);
}
END_TEST

/* Never before linger_start returns. */
START_TEST(the_oldest_makes_room_when_there_are_many)
{
	struct rlimit files = { 4 * LINGERING_MAX, 4 * LINGERING_MAX };
	struct end *many = calloc(LINGERING_MAX, sizeof *many);

	ck_assert_ptr_nonnull(many);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		free(many);
		return; /* only the superuser can raise it */
	}
	ck_assert(start(&end, 600000));
	for (int i = 0; i < LINGERING_MAX; i++) {
		ck_assert_uint_eq(end.done, 0);
		connect_both(&many[i]);
		ck_assert(start(&many[i], 600000));
	}
	turn_until(end.done == 1);
	for (int i = 0; i < LINGERING_MAX; i++) {
		ck_assert_uint_eq(many[i].done, 0);
		linger_stop(&many[i].lingering);
		close(many[i].own);
		close(many[i].peer);
	}
	free(many);
}
END_TEST

/* However many come in one turn of the loop. */
START_TEST(as_many_make_room_as_come)
{
	enum { EXTRA = 20, COUNT = LINGERING_MAX + EXTRA };
	struct rlimit files = { 4 * LINGERING_MAX, 4 * LINGERING_MAX };
	struct end *many = calloc(COUNT, sizeof *many);

	ck_assert_ptr_nonnull(many);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		free(many);
		return; /* only the superuser can raise it */
	}
	for (int i = 0; i < COUNT; i++) {
		connect_both(&many[i]);
		ck_assert(start(&many[i], 600000));
	}
	for (int i = 0; i < 3; i++)
		turn();
	for (int i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(many[i].done, i < EXTRA);
		linger_stop(&many[i].lingering);
		if (many[i].own >= 0)
			close(many[i].own);
		close(many[i].peer);
	}
	free(many);
}
END_TEST

Suite *linger_suite(void)
{
	Suite *suite = suite_create("linger");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, drops_what_comes_until_the_end);
	tcase_add_loop_test(all, has_nothing_to_wait_for_when_the_peer_has_finished, 0, 2);
	tcase_add_test(all, has_nothing_to_wait_for_after_a_reset);
	tcase_add_test(all, ends_with_a_reset);
	tcase_add_test(all, ends_in_time);
	tcase_add_test(all, ends_after_so_many_bytes);
	tcase_add_test(all, is_not_done_after_it_was_stopped);
	tcase_add_test(all, makes_room_for_its_owner_alone);
	tcase_add_test(all, the_oldest_makes_room_when_there_are_many);
	tcase_add_test(all, as_many_make_room_as_come);
	suite_add_tcase(suite, all);
	return suite;
}
