/* Whether a process still has a connection. */
#include "monitor/socket_holders.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/loop.h"
#include "support/deadline.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int connection[2];
static int orders[2]; /* a byte for each order */
static int news[2];
static int life[2]; /* its end ends all processes */
static struct socket_holders holders;
static unsigned released;
static pid_t program;

static void set_up(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, connection), 0);
	ck_assert_int_eq(pipe(orders), 0);
	ck_assert_int_eq(pipe(news), 0);
	ck_assert_int_eq(pipe(life), 0);
	memset(&holders, 0, sizeof holders);
	released = 0;
	program = 0;
}

static void tear_down(void)
{
	socket_holders_stop(&holders);
	close(orders[1]);
	close(life[1]);
	while (wait(NULL) > 0)
		continue;
	loop_free();
}

static void on_released(struct socket_holders *which)
{
	ck_assert_ptr_eq(which, &holders);
	released++;
}

/* --- what the program does: it has the connection, and a session of its own ------------------- */

static void wait_for_order(void)
{
	char order;

	if (read(orders[0], &order, 1) != 1)
		_exit(1);
}

static void say_done(void)
{
	if (write(news[1], "", 1) != 1)
		_exit(1);
}

static void rest(void)
{
	char byte;

	_exit(read(life[0], &byte, 1) != 0);
}

static void only_close(void)
{
	wait_for_order();
	close(connection[0]);
	say_done();
	rest();
}

static void move(void)
{
	int moved = fcntl(connection[0], F_DUPFD, 100);

	close(connection[0]);
	say_done();
	wait_for_order();
	close(moved);
	say_done();
	rest();
}

/* A child gets it. */
static void hand_on(bool leaves_session)
{
	if (fork() > 0) {
		close(connection[0]);
		rest();
	}
	if (leaves_session) {
		setsid();
		if (fork() > 0)
			_exit(0);
	}
	say_done();
	wait_for_order();
	close(connection[0]);
	say_done();
	rest();
}

static void hand_to_child(void)
{
	hand_on(false);
}

static void hand_to_one_that_leaves(void)
{
	hand_on(true);
}

static void *keep_in_thread(void *unused)
{
	(void)unused;
	say_done();
	wait_for_order();
	close(connection[0]);
	say_done();
	rest();
	return NULL;
}

/* The first thread ends, and shows no descriptors any more. */
static void leave_it_to_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, keep_in_thread, NULL) != 0)
		_exit(1);
	pthread_exit(NULL);
}

static void start(void (*run)(void))
{
	program = fork();
	ck_assert_int_ge(program, 0);
	if (program == 0) {
		setsid();
		close(connection[1]);
		close(orders[1]);
		close(life[1]);
		run();
		_exit(0);
	}
	socket_holders_note(&holders, connection[0]);
	close(connection[0]);
	socket_holders_watch(&holders, program, on_released);
}

static void order(void)
{
	ck_assert_int_eq(write(orders[1], "", 1), 1);
}

static void hear_news(void)
{
	ck_assert_int_eq(read(news[0], (char[1]){ 0 }, 1), 1);
}

static bool turn(void)
{
	loop_turn(10);
	return true;
}

#define turn_until(condition) wait_until(turn() && (condition))

static void turn_for(uint64_t ms)
{
	uint64_t end = clock_read() + ms;

	while (clock_read() < end)
		loop_turn(10);
}

static const struct {
	void (*run)(void);
	bool says_it_is_ready;
} programs[] = {
	{ only_close, false },          { move, true },
	{ hand_to_child, true },        { hand_to_one_that_leaves, true },
	{ leave_it_to_a_thread, true },
};

START_TEST(tells_when_nobody_has_it_any_more)
{
	start(programs[_i].run);
	if (programs[_i].says_it_is_ready)
		hear_news();
	turn_for(3 * (HOLDERS_FIRST_MS + HOLDERS_SURE_MS));
	ck_assert_uint_eq(released, 0);
	ck_assert(socket_is_held(&holders));
	order();
	hear_news();
	ck_assert(!socket_is_held(&holders));
	turn_until(released == 1);
	turn_for(2 * HOLDERS_SURE_MS);
	ck_assert_uint_eq(released, 1);
}
END_TEST

START_TEST(tells_nothing_after_it_was_stopped)
{
	start(only_close);
	socket_holders_stop(&holders);
	order();
	hear_news();
	turn_for(2 * (HOLDERS_FIRST_MS + HOLDERS_SURE_MS));
	ck_assert_uint_eq(released, 0);
}
END_TEST

START_TEST(knows_who_has_it_after_the_program)
{
	start(hand_to_child);
	hear_news();
	ck_assert_int_eq(kill(program, SIGKILL), 0);
	ck_assert_int_eq(waitpid(program, NULL, 0), program);
	socket_holders_lose_program(&holders);
	turn_for(2 * (HOLDERS_FIRST_MS + HOLDERS_SURE_MS));
	ck_assert(socket_is_held(&holders) && released == 0);
	order();
	hear_news();
	ck_assert(!socket_is_held(&holders));
	turn_until(released == 1);
}
END_TEST

START_TEST(nobody_has_what_was_not_noted)
{
	ck_assert(!socket_is_held(&holders));
	socket_holders_note(&holders, -1);
	socket_holders_watch(&holders, getpid(), on_released);
	ck_assert(!timer_is_pending(&holders.timer));
	ck_assert(!socket_is_held(&holders));
}
END_TEST

/* Looks become rare, so that idle sessions cost little. */
START_TEST(looks_less_and_less_often)
{
	uint64_t last = 0;

	start(only_close);
	for (uint64_t now = clock_now(); holders.wait_ms < HOLDERS_MAX_MS; now += HOLDERS_MAX_MS) {
		ck_assert_uint_gt(holders.wait_ms, last);
		last = holders.wait_ms;
		timers_run(now + HOLDERS_MAX_MS);
	}
	ck_assert_uint_lt(holders.wait_ms, 2 * HOLDERS_MAX_MS);
	ck_assert_uint_eq(released, 0);
}
END_TEST

enum { MANY = 3 * HOLDERS_PER_TICK };

static struct socket_holders many[MANY];

static unsigned count_looks(void)
{
	unsigned count = 0;

	for (int i = 0; i < MANY; i++)
		count += many[i].wait_ms > HOLDERS_FIRST_MS;
	return count;
}

/* The others get their turns soon, in parts. */
START_TEST(looks_at_few_in_a_moment)
{
	start(only_close);
	memset(many, 0, sizeof many);
	for (int i = 0; i < MANY; i++) {
		many[i].inode = holders.inode;
		socket_holders_watch(&many[i], program, on_released);
		many[i].fd = connection[0];
	}
	timers_run(clock_now() + HOLDERS_FIRST_MS);
	ck_assert_uint_gt(count_looks(), 0);
	ck_assert_uint_le(count_looks(), HOLDERS_PER_TICK);
	turn_until(count_looks() == MANY);
	for (int i = 0; i < MANY; i++)
		socket_holders_stop(&many[i]);
}
END_TEST

Suite *socket_holders_suite(void)
{
	Suite *suite = suite_create("socket_holders");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 30);
	tcase_add_loop_test(all, tells_when_nobody_has_it_any_more, 0,
			    sizeof programs / sizeof programs[0]);
	tcase_add_test(all, tells_nothing_after_it_was_stopped);
	tcase_add_test(all, knows_who_has_it_after_the_program);
	tcase_add_test(all, nobody_has_what_was_not_noted);
	tcase_add_test(all, looks_less_and_less_often);
	tcase_add_test(all, looks_at_few_in_a_moment);
	suite_add_tcase(suite, all);
	return suite;
}
