#include "base/clock.h"
#include "base/loop.h"
#include "base/timer.h"

#include <check.h>
#include <stdlib.h>

enum { MANY = 100000 };

static struct timer timers[MANY];
static uint64_t last_due;
static int calls;

static void setup(void)
{
	ck_assert_int_eq(loop_init(), 0);
	calls = 0;
	last_due = 0;
}

static void teardown(void)
{
	loop_free();
}

/* Counts, and checks that the timers come in the order of their due times. */
static void count_in_order(struct timer *timer)
{
	ck_assert_msg(timer->due >= last_due, "due %llu after %llu", (unsigned long long)timer->due,
		      (unsigned long long)last_due);
	ck_assert_msg(!timer_is_pending(timer), "still pending when called");
	last_due = timer->due;
	calls++;
}

static void start_all(int count, uint64_t (*delay_of)(int))
{
	for (int i = 0; i < count; i++) {
		timer_init(&timers[i], count_in_order);
		timer_start(&timers[i], delay_of(i));
	}
}

static uint64_t ascending(int i)
{
	return (uint64_t)i;
}

static uint64_t descending(int i)
{
	return (uint64_t)(MANY - i);
}

static uint64_t equal(int i)
{
	(void)i;
	return 5;
}

static uint64_t scattered(int i)
{
	return ((uint64_t)i * 2654435761u) % MANY;
}

static uint64_t (*const orders[])(int) = { ascending, descending, equal, scattered };

START_TEST(a_hundred_thousand_come_in_order)
{
	start_all(MANY, orders[_i]);
	timers_run(clock_now() + MANY);
	ck_assert_msg(calls == MANY, "order %d: %d", _i, calls);
	ck_assert_msg(timers_next(0) == -1, "order %d", _i);
}
END_TEST

START_TEST(a_hundred_thousand_can_be_stopped)
{
	start_all(MANY, orders[_i]);
	for (int i = 0; i < MANY; i++)
		timer_stop(&timers[(i * 7919L) % MANY]);
	ck_assert_msg(timers_next(0) == -1, "order %d", _i);
	timers_run(UINT64_MAX);
	ck_assert_msg(calls == 0, "order %d: %d", _i, calls);
}
END_TEST

START_TEST(only_those_that_are_due_are_called)
{
	start_all(100, ascending);
	timers_run(clock_now() + 49);
	ck_assert_int_eq(calls, 50);
	ck_assert_int_eq(timers_next(clock_now() + 49), 1);
	timers_run(clock_now() + 49);
	ck_assert_int_eq(calls, 50);
	for (int i = 0; i < 100; i++)
		ck_assert_msg(timer_is_pending(&timers[i]) == (i >= 50), "timer %d", i);
	for (int i = 0; i < 100; i++)
		timer_stop(&timers[i]);
}
END_TEST

START_TEST(the_next_one_is_told)
{
	struct timer timer;

	ck_assert_int_eq(timers_next(clock_now()), -1);
	timer_init(&timer, count_in_order);
	timer_start(&timer, 1000);
	ck_assert_int_eq(timers_next(clock_now()), 1000);
	ck_assert_int_eq(timers_next(clock_now() + 999), 1);
	ck_assert_int_eq(timers_next(clock_now() + 1000), 0);
	ck_assert_int_eq(timers_next(clock_now() + 5000), 0);
	timer_stop(&timer);
	ck_assert_int_eq(timers_next(clock_now()), -1);
}
END_TEST

START_TEST(the_longest_delay_is_never_reached)
{
	struct timer timer;

	timer_init(&timer, count_in_order);
	timer_start(&timer, UINT64_MAX);
	ck_assert(timers_next(clock_now()) == INT64_MAX);
	timers_run(UINT64_MAX - 1);
	ck_assert_int_eq(calls, 0);
	timer_stop(&timer);
}
END_TEST

START_TEST(starting_again_moves_a_timer)
{
	start_all(3, ascending);
	timer_start(&timers[0], 50);
	timer_start(&timers[1], 40);
	timer_start(&timers[2], 10);
	ck_assert_int_eq(timers_next(clock_now()), 10);
	timer_start(&timers[2], 45);
	ck_assert_int_eq(timers_next(clock_now()), 40);
	timers_run(clock_now() + 50);
	ck_assert_int_eq(calls, 3);
}
END_TEST

START_TEST(stopping_twice_or_before_the_start_is_harmless)
{
	struct timer timer;

	timer_init(&timer, count_in_order);
	timer_stop(&timer);
	timer_start(&timer, 0);
	timer_stop(&timer);
	timer_stop(&timer);
	timers_run(clock_now());
	ck_assert_int_eq(calls, 0);
}
END_TEST

static void restart_at_once(struct timer *timer)
{
	calls++;
	timer_start(timer, 0);
}

START_TEST(one_restarted_without_delay_waits_for_the_next_run)
{
	struct timer timer;

	timer_init(&timer, restart_at_once);
	timer_start(&timer, 0);
	timers_run(clock_now());
	ck_assert_int_eq(calls, 1);
	ck_assert(timer_is_pending(&timer));
	ck_assert_int_eq(timers_next(clock_now()), 0);
	timers_run(clock_now());
	ck_assert_int_eq(calls, 2);
	timer_stop(&timer);
}
END_TEST

/* Restarts all other timers, those that were called already and those that were not,
 * and stops every second one. */
static void disturb_all(struct timer *timer)
{
	calls++;
	for (int i = 0; i < 10; i++)
		if (&timers[i] != timer)
			timer_start(&timers[i], 0);
	for (int i = 1; i < 10; i += 2)
		timer_stop(&timers[i]);
}

START_TEST(a_callback_may_move_and_stop_the_others)
{
	start_all(10, ascending);
	timer_init(&timers[10], disturb_all);
	timer_start(&timers[10], 4);
	timers_run(clock_now() + 4);
	calls = 0;
	last_due = 0;
	timers_run(clock_now());
	ck_assert_int_eq(calls, 5);
	ck_assert_int_eq(timers_next(clock_now()), -1);
}
END_TEST

static void free_itself(struct timer *timer)
{
	calls++;
	free(timer);
}

START_TEST(a_callback_may_free_its_timer)
{
	for (int i = 0; i < 100; i++) {
		struct timer *timer = malloc(sizeof *timer);

		ck_assert_ptr_nonnull(timer);
		timer_init(timer, free_itself);
		timer_start(timer, (uint64_t)(i % 7));
	}
	timers_run(clock_now() + 7);
	ck_assert_int_eq(calls, 100);
}
END_TEST

/* Compares with a linear search for the earliest timer. */
START_TEST(agrees_with_a_search_whatever_is_done)
{
	enum { COUNT = 200, STEPS = 20000 };
	unsigned seed = 1;

	start_all(COUNT, ascending);
	for (int step = 0; step < STEPS; step++) {
		struct timer *timer = &timers[rand_r(&seed) % COUNT];
		uint64_t earliest = UINT64_MAX;
		int64_t expected;

		if (rand_r(&seed) % 3)
			timer_start(timer, (uint64_t)(rand_r(&seed) % 1000));
		else
			timer_stop(timer);
		for (int i = 0; i < COUNT; i++)
			if (timers[i].pending && timers[i].due < earliest)
				earliest = timers[i].due;
		expected = earliest == UINT64_MAX ? -1 : (int64_t)(earliest - clock_now());
		ck_assert_msg(timers_next(clock_now()) == expected, "step %d", step);
	}
	timers_run(UINT64_MAX);
}
END_TEST

Suite *timer_suite(void);

Suite *timer_suite(void)
{
	Suite *suite = suite_create("timer");
	TCase *heap = tcase_create("heap");
	TCase *callbacks = tcase_create("callbacks");

	tcase_set_timeout(heap, 60);
	tcase_add_checked_fixture(heap, setup, teardown);
	tcase_add_loop_test(heap, a_hundred_thousand_come_in_order, 0, 4);
	tcase_add_loop_test(heap, a_hundred_thousand_can_be_stopped, 0, 4);
	tcase_add_test(heap, only_those_that_are_due_are_called);
	tcase_add_test(heap, the_next_one_is_told);
	tcase_add_test(heap, the_longest_delay_is_never_reached);
	tcase_add_test(heap, starting_again_moves_a_timer);
	tcase_add_test(heap, stopping_twice_or_before_the_start_is_harmless);
	tcase_add_test(heap, agrees_with_a_search_whatever_is_done);
	tcase_add_checked_fixture(callbacks, setup, teardown);
	tcase_add_test(callbacks, one_restarted_without_delay_waits_for_the_next_run);
	tcase_add_test(callbacks, a_callback_may_move_and_stop_the_others);
	tcase_add_test(callbacks, a_callback_may_free_its_timer);
	suite_add_tcase(suite, heap);
	suite_add_tcase(suite, callbacks);
	return suite;
}
