#include "base/clock.h"
#include "base/loop.h"
#include "base/poller.h"
#include "handlers/pipe.h"
#include "handlers/relay.h"
#include "support/client.h"
#include "support/deadline.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

enum { KB = 1024, MB = 1024 * KB };

/* A relay between ends[0].inner and ends[1].inner; the test has the outer ones. */
static struct end {
	int outer, inner;
	size_t to_send, sent, got;
	size_t bite;       /* most bytes per recv; 0: no limit */
	bool has_finished; /* sending */
	bool heard_the_end;
	int error; /* of the last recv that failed */
} ends[2];
static struct relay relay;
static int times_done;
static struct pipe *pipes[PIPES_MAX];

static void count_done(struct relay *which)
{
	ck_assert_ptr_eq(which, &relay);
	times_done++;
}

/* --- the four sockets ---------------------------------------------------------------- */

static void make_unix_pair(struct end *end)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	end->outer = fds[0];
	end->inner = fds[1];
}

static void make_tcp_pair(struct end *end)
{
	struct endpoint here = endpoint_of("127.0.0.1", 0);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	end->outer = client_connect("127.0.0.1", client_port(listener));
	end->inner = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ge(end->inner, 0);
	close(listener);
}

static void set_up(void (*make_pair)(struct end *))
{
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(loop_init(), 0);
	memset(&relay, 0, sizeof relay);
	memset(ends, 0, sizeof ends);
	times_done = 0;
	make_pair(&ends[0]);
	make_pair(&ends[1]);
}

static void set_up_unix(void)
{
	set_up(make_unix_pair);
}

static void set_up_tcp(void)
{
	set_up(make_tcp_pair);
}

static void close_outer(int i)
{
	close(ends[i].outer);
	ends[i].outer = -1;
}

static void close_inner(int i)
{
	close(ends[i].inner);
	ends[i].inner = -1;
}

static void take_pipes(void)
{
	for (int i = 0; i < PIPES_MAX; i++) {
		pipes[i] = pipe_take();
		ck_assert_msg(pipes[i] != NULL, "pipe %d was not given back", i);
		ck_assert_uint_eq(pipes[i]->length, 0);
	}
	ck_assert_ptr_null(pipe_take());
}

static void give_pipes_back(void)
{
	for (int i = 0; i < PIPES_MAX; i++)
		pipe_give_back(pipes[i]);
}

static void tear_down(void)
{
	relay_stop(&relay);
	for (int i = 0; i < 2; i++) {
		if (ends[i].outer >= 0)
			close_outer(i);
		if (ends[i].inner >= 0)
			close_inner(i);
	}
	take_pipes();
	give_pipes_back();
	loop_free();
}

static void start(void)
{
	relay_start(&relay, ends[0].inner, ends[1].inner, 0, count_done);
}

static void turn(const struct deadline *deadline, const char *what)
{
	if (deadline_left(deadline) == 0)
		ck_abort_msg("waited in vain for %s", what);
	loop_turn(1);
}

#define turn_until(condition) \
	for (struct deadline deadline_ = deadline_in(DEADLINE_MS); !(condition);) \
	turn(&deadline_, #condition)

/* A few turns, in which nothing should happen. */
static void turn_on(void)
{
	for (int i = 0; i < 20; i++)
		loop_turn(0);
}

/* --- what the outer ends send and receive ----------------------------------------------- */

static char content(size_t at)
{
	return (char)(at * 7 + at / 251 + at / 65521);
}

static void send_some(struct end *end)
{
	static char bytes[100000];
	size_t length = end->to_send - end->sent;
	ssize_t sent;

	if (length > sizeof bytes)
		length = sizeof bytes;
	for (size_t i = 0; i < length; i++)
		bytes[i] = content(end->sent + i);
	sent = length > 0 ? send(end->outer, bytes, length, MSG_NOSIGNAL) : 0;
	if (sent < 0 && errno != EAGAIN)
		ck_abort_msg("sending: %s", strerror(errno));
	end->sent += sent > 0 ? (size_t)sent : 0;
	if (end->sent < end->to_send || end->has_finished)
		return;
	ck_assert_int_eq(shutdown(end->outer, SHUT_WR), 0);
	end->has_finished = true;
}

/* Check records each assertion: one per byte is too slow. */
static void expect_content(size_t at, const char *bytes, size_t length)
{
	size_t i = 0;

	while (i < length && bytes[i] == content(at + i))
		i++;
	if (i < length)
		ck_abort_msg("byte %zu is wrong", at + i);
}

static void hear_some(struct end *end)
{
	static char bytes[100000];
	ssize_t length = recv(end->outer, bytes, end->bite ? end->bite : sizeof bytes, 0);

	if (length < 0 && errno != EAGAIN)
		end->error = errno;
	if (length == 0)
		end->heard_the_end = true;
	if (length <= 0)
		return;
	expect_content(end->got, bytes, (size_t)length);
	end->got += (size_t)length;
}

static void converse(void)
{
	for (int i = 0; i < 2; i++) {
		send_some(&ends[i]);
		hear_some(&ends[i]);
	}
}

static bool all_is_heard(void)
{
	return ends[0].heard_the_end && ends[1].heard_the_end;
}

/* --- both ways -------------------------------------------------------------------------- */

static const struct {
	size_t forth, back;
	bool without_pipes;
} amounts[] = {
	{ 0, 0, false },
	{ 1, 0, false },
	{ 0, 1, false },
	{ 1, 1, false },
	{ 16383, 16385, false },
	{ 65536, 65537, false },
	{ 5 * MB, 0, false },
	{ 0, 5 * MB, false },
	{ 5 * MB + 1, 3 * MB - 1, false },
	{ 5 * MB + 1, 3 * MB - 1, true },
};

START_TEST(passes_everything_both_ways)
{
	ends[0].to_send = amounts[_i].forth;
	ends[1].to_send = amounts[_i].back;
	if (amounts[_i].without_pipes)
		take_pipes();
	start();
	for (struct deadline deadline = deadline_in(DEADLINE_MS); !(all_is_heard() && times_done);
	     loop_turn(0)) {
		if (deadline_left(&deadline) == 0)
			ck_abort_msg("row %d: %zu and %zu bytes came", _i, ends[1].got,
				     ends[0].got);
		converse();
		if (times_done) {
			close_inner(0);
			close_inner(1);
			converse();
		}
	}
	ck_assert_msg(ends[1].got == amounts[_i].forth && ends[0].got == amounts[_i].back,
		      "row %d: %zu and %zu bytes came", _i, ends[1].got, ends[0].got);
	ck_assert_uint_eq(relay.sides[0].received, amounts[_i].forth);
	ck_assert_uint_eq(relay.sides[1].received, amounts[_i].back);
	ck_assert_int_eq(times_done, 1);
	if (amounts[_i].without_pipes)
		give_pipes_back();
}
END_TEST

START_TEST(reads_the_first_side_at_once)
{
	client_send(ends[0].outer, "early");
	client_send(ends[1].outer, "late");
	start();
	client_expect(ends[1].outer, "early");
	ck_assert_uint_eq(relay.sides[1].received, 0);
	turn_until(relay.sides[1].received > 0);
	client_expect(ends[0].outer, "late");
}
END_TEST

START_TEST(half_closed_goes_on)
{
	int i = _i, other = 1 - _i;

	start();
	client_send(ends[i].outer, "question");
	client_finish_sending(ends[i].outer);
	turn_until(relay.sides[i].has_ended);
	client_expect(ends[other].outer, "question");
	hear_some(&ends[other]);
	ck_assert(ends[other].heard_the_end);

	turn_on();
	ck_assert_int_eq(times_done, 0);
	ck_assert(!watch_is_started(&relay.sides[i].watch));
	hear_some(&ends[i]);
	ck_assert(!ends[i].heard_the_end);

	client_send(ends[other].outer, "answer");
	turn_until(relay.sides[other].received == strlen("answer"));
	client_expect(ends[i].outer, "answer");
	client_finish_sending(ends[other].outer);
	turn_until(times_done == 1);
	timers_run(clock_now() + 10ULL * RELAY_SILENCE_MS);
	ck_assert_int_eq(times_done, 1);
}
END_TEST

START_TEST(waits_for_ever_while_nothing_is_closed)
{
	start();
	timers_run(clock_now() + 10ULL * RELAY_SILENCE_MS);
	client_send(ends[0].outer, "still there");
	turn_until(relay.sides[0].received > 0);
	client_expect(ends[1].outer, "still there");
	ck_assert_int_eq(times_done, 0);
}
END_TEST

START_TEST(half_closed_it_does_not_wait_for_ever)
{
	start();
	client_finish_sending(ends[_i].outer);
	turn_until(relay.sides[_i].has_ended);
	timers_run(clock_now() + RELAY_SILENCE_MS - 1000);
	ck_assert_int_eq(times_done, 0);
	timers_run(clock_now() + RELAY_SILENCE_MS);
	ck_assert_int_eq(times_done, 1);
}
END_TEST

/* --- slow receivers ------------------------------------------------------------------------ */

static void make_buffers_small(void)
{
	const int size = 20000;

	for (int i = 0; i < 2; i++) {
		setsockopt(ends[i].inner, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		setsockopt(ends[i].outer, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		setsockopt(ends[i].inner, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		setsockopt(ends[i].outer, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	}
}

/* Sends from end i, while nobody reads, until the relay takes no more. */
static void fill(int i)
{
	size_t before;

	do {
		before = ends[i].sent;
		for (int turns = 0; turns < 20; turns++) {
			send_some(&ends[i]);
			loop_turn(0);
		}
	} while (ends[i].sent > before);
}

static void hear_more(int i)
{
	size_t before = ends[i].got;

	send_some(&ends[1 - i]);
	turn_until((hear_some(&ends[i]), ends[i].got > before || ends[i].heard_the_end));
}

static const struct {
	int sender;
	bool without_pipes;
	size_t most; /* bytes that the relay may take */
} slow[] = {
	{ 0, false, 3 * MB },
	{ 1, false, 3 * MB },
	{ 0, true, 400 * KB },
	{ 1, true, 400 * KB },
};

START_TEST(a_slow_side_makes_the_other_wait)
{
	int sender = slow[_i].sender, receiver = 1 - sender;

	make_buffers_small();
	if (slow[_i].without_pipes)
		take_pipes();
	ends[sender].to_send = 6 * MB;
	start();
	fill(sender);
	ck_assert_msg(relay.sides[sender].received <= slow[_i].most,
		      "row %d: %llu bytes are in the relay", _i,
		      (unsigned long long)relay.sides[sender].received);

	ck_assert_int_eq(relay.sides[sender].pipe == NULL, slow[_i].without_pipes);

	/* The other direction still works, and needs no pipe. */
	client_send(ends[receiver].outer, "hello");
	turn_until(relay.sides[receiver].received > 0);
	client_expect(ends[sender].outer, "hello");
	ck_assert(!relay.sides[receiver].is_bulk);

	ends[receiver].bite = 3000;
	while (ends[receiver].got < 1 * MB)
		hear_more(receiver);
	ends[receiver].bite = 0;
	while (!ends[receiver].heard_the_end)
		hear_more(receiver);
	ck_assert_uint_eq(ends[receiver].got, 6 * MB);
	ck_assert_int_eq(times_done, 0);
	client_finish_sending(ends[receiver].outer);
	turn_until(times_done == 1);
	if (slow[_i].without_pipes)
		give_pipes_back();
}
END_TEST

/* The receiver's buffer is small, so that the kept bytes go in many pieces. */
START_TEST(what_is_kept_goes_in_pieces)
{
	const int size = 1;

	take_pipes();
	setsockopt(ends[1].inner, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	ends[0].to_send = 100 * KB;
	start();
	fill(0);
	ck_assert_uint_gt(relay.sides[0].unsent.length, 30 * KB);
	ends[1].bite = 1000;
	while (!ends[1].heard_the_end)
		hear_more(1);
	ck_assert_uint_eq(ends[1].got, 100 * KB);
	give_pipes_back();
}
END_TEST

START_TEST(both_can_be_slow)
{
	make_buffers_small();
	ends[0].to_send = ends[1].to_send = 4 * MB;
	start();
	fill(0);
	fill(1);
	turn_until((converse(), ends[0].got == 4 * MB && ends[1].got == 4 * MB));
	turn_until(times_done == 1);
}
END_TEST

START_TEST(stops_at_any_moment)
{
	make_buffers_small();
	ends[0].to_send = ends[1].to_send = 4 * MB;
	start();
	fill(0);
	if (_i > 0)
		fill(1);
	relay_stop(&relay);
	relay_stop(&relay);
	turn_on();
	ck_assert_int_eq(times_done, 0);
	ck_assert(!watch_is_started(&relay.sides[0].watch));
	ck_assert(!watch_is_started(&relay.sides[1].watch));
}
END_TEST

START_TEST(ends_when_a_side_takes_nothing)
{
	ck_assert_int_eq(shutdown(ends[1].inner, SHUT_WR), 0);
	start();
	client_send(ends[0].outer, "hello");
	turn_until(times_done == 1);
}
END_TEST

/* --- resets --------------------------------------------------------------------------------- */

static void hear_until_reset(int i)
{
	close_inner(0);
	close_inner(1);
	turn_until((hear_some(&ends[i]), ends[i].heard_the_end || ends[i].error));
	ck_assert_msg(ends[i].error == ECONNRESET, "heard %s",
		      ends[i].error ? strerror(ends[i].error) : "an ordinary end");
}

START_TEST(passes_a_reset_on)
{
	start();
	client_reset(ends[_i].outer);
	ends[_i].outer = -1;
	turn_until(times_done == 1);
	hear_until_reset(1 - _i);
}
END_TEST

START_TEST(passes_a_reset_on_when_half_closed)
{
	start();
	client_finish_sending(ends[1 - _i].outer);
	turn_until(relay.sides[1 - _i].has_ended);
	client_reset(ends[_i].outer);
	ends[_i].outer = -1;
	turn_until(times_done == 1);
	hear_until_reset(1 - _i);
}
END_TEST

/* send(2) meets the reset before the last bytes are read. */
START_TEST(hears_the_last_words_of_who_resets)
{
	start();
	for (size_t i = 0; i < 5; i++) {
		char word = content(i);

		client_send_bytes(ends[1].outer, &word, 1);
	}
	client_send(ends[0].outer, "too late");
	client_reset(ends[1].outer);
	ends[1].outer = -1;
	turn_until(times_done == 1);
	turn_until((hear_some(&ends[0]), ends[0].got == 5));
	hear_until_reset(0);
}
END_TEST

START_TEST(ends_when_a_slow_side_resets)
{
	make_buffers_small();
	ends[_i].to_send = 4 * MB;
	start();
	fill(_i);
	client_reset(ends[1 - _i].outer);
	ends[1 - _i].outer = -1;
	turn_until(times_done == 1);
	hear_until_reset(_i);
}
END_TEST

START_TEST(silence_ends_with_a_reset)
{
	start();
	client_finish_sending(ends[_i].outer);
	turn_until(relay.sides[_i].has_ended);
	timers_run(clock_now() + RELAY_SILENCE_MS);
	ck_assert_int_eq(times_done, 1);
	hear_until_reset(_i);
}
END_TEST

/* --- pipes ------------------------------------------------------------------------------------ */

START_TEST(pipes_are_few_and_used_again)
{
	struct pipe *pipe = pipe_take();
	int descriptor;

	ck_assert_ptr_nonnull(pipe);
	descriptor = pipe->read_end;
	ck_assert_int_eq(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(descriptor, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(pipe->write_end, F_GETFL) & O_NONBLOCK);
	pipe_give_back(pipe);
	pipe = pipe_take();
	ck_assert_int_eq(pipe->read_end, descriptor);
	pipe_give_back(pipe);
	for (int i = 0; i < 3; i++) {
		take_pipes();
		give_pipes_back();
	}
}
END_TEST

START_TEST(a_pipe_with_something_in_it_is_not_used_again)
{
	struct pipe *pipe = pipe_take();
	char byte = 'x';

	ck_assert_int_eq(write(pipe->write_end, &byte, 1), 1);
	pipe->length = 1;
	errno = EPIPE;
	pipe_give_back(pipe);
	ck_assert_int_eq(errno, EPIPE);
	pipe = pipe_take();
	ck_assert_int_eq(read(pipe->read_end, &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	pipe_give_back(pipe);
}
END_TEST

Suite *relay_suite(void);

static void add_passing(Suite *suite, const char *name, void (*fixture)(void))
{
	TCase *passing = tcase_create(name);

	tcase_add_checked_fixture(passing, fixture, tear_down);
	tcase_set_timeout(passing, 30);
	tcase_add_loop_test(passing, passes_everything_both_ways, 0, ROWS(amounts));
	tcase_add_test(passing, reads_the_first_side_at_once);
	tcase_add_loop_test(passing, half_closed_goes_on, 0, 2);
	tcase_add_test(passing, waits_for_ever_while_nothing_is_closed);
	tcase_add_loop_test(passing, half_closed_it_does_not_wait_for_ever, 0, 2);
	tcase_add_loop_test(passing, a_slow_side_makes_the_other_wait, 0, ROWS(slow));
	tcase_add_test(passing, what_is_kept_goes_in_pieces);
	tcase_add_test(passing, both_can_be_slow);
	tcase_add_test(passing, ends_when_a_side_takes_nothing);
	tcase_add_loop_test(passing, stops_at_any_moment, 0, 2);
	suite_add_tcase(suite, passing);
}

Suite *relay_suite(void)
{
	Suite *suite = suite_create("relay");
	TCase *resets = tcase_create("resets"), *the_pipes = tcase_create("pipes");

	add_passing(suite, "over unix sockets", set_up_unix);
	add_passing(suite, "over tcp", set_up_tcp);

	tcase_add_checked_fixture(resets, set_up_tcp, tear_down);
	tcase_set_timeout(resets, 30);
	tcase_add_loop_test(resets, passes_a_reset_on, 0, 2);
	tcase_add_loop_test(resets, passes_a_reset_on_when_half_closed, 0, 2);
	tcase_add_test(resets, hears_the_last_words_of_who_resets);
	tcase_add_loop_test(resets, ends_when_a_slow_side_resets, 0, 2);
	tcase_add_loop_test(resets, silence_ends_with_a_reset, 0, 2);
	suite_add_tcase(suite, resets);

	tcase_add_test(the_pipes, pipes_are_few_and_used_again);
	tcase_add_test(the_pipes, a_pipe_with_something_in_it_is_not_used_again);
	suite_add_tcase(suite, the_pipes);
	return suite;
}
