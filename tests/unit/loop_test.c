/* Every test runs over poll and over epoll. */
#include "base/clock.h"
#include "base/loop.h"
#include "base/poller.h"
#include "base/timer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 8 };

static struct watch watches[COUNT];
static struct watch idle[POLLER_THRESHOLD];
static short heard[COUNT];
static int calls;
static bool is_epoll;
static char order[16]; /* a letter for each event */
static size_t steps;

static void hear(struct watch *watch, short events)
{
	heard[watch - watches] = events;
	calls++;
}

static int open_event(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void set_up_poll(void)
{
	calls = 0;
	is_epoll = false;
	steps = 0;
	memset(order, 0, sizeof order);
	ck_assert_int_eq(loop_init(), 0);
	for (int i = 0; i < COUNT; i++) {
		heard[i] = 0;
		watch_init(&watches[i], open_event(), hear);
	}
}

static void set_up_epoll(void)
{
	set_up_poll();
	is_epoll = true;
	for (int i = 0; i < POLLER_THRESHOLD; i++) {
		watch_init(&idle[i], open_event(), hear);
		ck_assert_int_eq(watch_start(&idle[i], LOOP_READ), 0);
	}
	ck_assert(poller_uses_epoll());
}

static void tear_down(void)
{
	for (int i = 0; i < COUNT; i++) {
		watch_stop(&watches[i]);
		close(watches[i].fd);
	}
	for (int i = 0; is_epoll && i < POLLER_THRESHOLD; i++) {
		watch_stop(&idle[i]);
		close(idle[i].fd);
	}
	loop_free();
}

static void start(int i, short events)
{
	ck_assert_int_eq(watch_start(&watches[i], events), 0);
}

static void make_ready(int i)
{
	ck_assert_int_eq(eventfd_write(watches[i].fd, 1), 0);
}

START_TEST(calls_those_that_are_ready)
{
	for (int i = 0; i < COUNT; i++)
		start(i, LOOP_READ);
	make_ready(2);
	make_ready(5);
	loop_turn(-1);
	ck_assert_int_eq(calls, 2);
	ck_assert_int_eq(heard[2], LOOP_READ);
	ck_assert_int_eq(heard[5], LOOP_READ);
}
END_TEST

START_TEST(a_watch_knows_whether_it_is_started)
{
	ck_assert(!watch_is_started(&watches[0]));
	start(0, LOOP_READ);
	ck_assert(watch_is_started(&watches[0]));
	watch_stop(&watches[0]);
	ck_assert(!watch_is_started(&watches[0]));
	make_ready(0);
	loop_turn(0);
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(starting_again_replaces_what_is_waited_for)
{
	start(0, LOOP_READ);
	make_ready(0);
	start(0, LOOP_WRITE);
	loop_turn(-1);
	ck_assert_int_eq(heard[0], LOOP_WRITE);
}
END_TEST

static void stop_all(struct watch *watch, short events)
{
	hear(watch, events);
	for (int i = 0; i < COUNT; i++)
		watch_stop(&watches[i]);
}

START_TEST(an_event_for_a_stopped_watch_is_dropped)
{
	for (int i = 0; i < COUNT; i++) {
		watches[i].callback = stop_all;
		start(i, LOOP_READ);
		make_ready(i);
	}
	loop_turn(-1);
	loop_turn(0);
	ck_assert_int_eq(calls, 1);
}
END_TEST

static void restart_all(struct watch *watch, short events)
{
	hear(watch, events);
	for (int i = 0; i < COUNT; i++) {
		watch_stop(&watches[i]);
		ck_assert_int_eq(watch_start(&watches[i], LOOP_READ), 0);
	}
}

START_TEST(a_watch_stopped_and_started_is_called_in_the_next_turn)
{
	for (int i = 0; i < COUNT; i++) {
		watches[i].callback = restart_all;
		start(i, LOOP_READ);
		make_ready(i);
	}
	loop_turn(-1);
	ck_assert_int_eq(calls, 1);
	loop_turn(-1);
	ck_assert_int_eq(calls, 2);
}
END_TEST

static void want_no_writing(struct watch *watch, short events)
{
	hear(watch, events);
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(watch_start(&watches[i], LOOP_READ), 0);
}

START_TEST(an_event_that_is_no_longer_wanted_is_dropped)
{
	int writable = 0;

	for (int i = 0; i < COUNT; i++) {
		watches[i].callback = want_no_writing;
		start(i, LOOP_READ | LOOP_WRITE);
	}
	make_ready(0);
	make_ready(1);
	loop_turn(-1);
	for (int i = 0; i < COUNT; i++)
		writable += (heard[i] & LOOP_WRITE) != 0;
	ck_assert_int_eq(writable, 1);
	ck_assert(heard[0] & LOOP_READ);
	ck_assert(heard[1] & LOOP_READ);
}
END_TEST

/* The first callback frees all watches, before the others are called. */
static struct watch *prey[COUNT];

static void free_all(struct watch *watch, short events)
{
	(void)watch;
	(void)events;
	calls++;
	for (int i = 0; i < COUNT; i++) {
		watch_stop(prey[i]);
		close(prey[i]->fd);
		free(prey[i]);
	}
}

START_TEST(a_callback_may_free_every_watch)
{
	for (int i = 0; i < COUNT; i++) {
		prey[i] = malloc(sizeof *prey[i]);
		ck_assert_ptr_nonnull(prey[i]);
		watch_init(prey[i], open_event(), free_all);
		ck_assert_int_eq(eventfd_write(prey[i]->fd, 1), 0);
		ck_assert_int_eq(watch_start(prey[i], LOOP_READ), 0);
	}
	loop_turn(-1);
	ck_assert_int_eq(calls, 1);
	loop_turn(0);
	ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(a_watch_that_cannot_be_started_is_stopped)
{
	char path[] = "/tmp/usherd-loop-XXXXXX";
	struct watch watch;
	int fd = mkostemp(path, O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	watch_init(&watch, fd, hear);
	if (is_epoll) {
		ck_assert_int_eq(watch_start(&watch, LOOP_READ), -1);
		ck_assert_int_eq(errno, EPERM);
		ck_assert(!watch_is_started(&watch));
	}
	watch_stop(&watch);
	close(fd);
}
END_TEST

static struct timer timer;

static void stop_loop(struct timer *due)
{
	(void)due;
	calls++;
	loop_stop();
}

START_TEST(sleeps_until_the_next_timer)
{
	uint64_t begun = clock_now();

	timer_init(&timer, stop_loop);
	timer_start(&timer, 20);
	loop_run();
	ck_assert_int_eq(calls, 1);
	ck_assert_uint_ge(clock_now() - begun, 20);
}
END_TEST

START_TEST(a_turn_lasts_no_longer_than_it_may)
{
	timer_init(&timer, stop_loop);
	timer_start(&timer, 3600 * 1000);
	loop_turn(0);
	loop_turn(1);
	ck_assert_int_eq(calls, 0);
	timer_stop(&timer);
	loop_turn(1);
}
END_TEST

static void note(char step)
{
	if (steps < sizeof order - 1)
		order[steps++] = step;
}

static void note_watch(struct watch *watch, short events)
{
	(void)watch;
	(void)events;
	note('w');
	watch_stop(watch);
}

static void note_timer(struct timer *due)
{
	(void)due;
	note('t');
}

static void note_first_end(void)
{
	note('1');
}

static void note_second_end(void)
{
	note('2');
}

START_TEST(a_turn_has_its_order)
{
	timer_init(&timer, note_timer);
	timer_start(&timer, 0);
	loop_at_turn_end(note_first_end);
	loop_at_turn_end(note_second_end);
	watches[0].callback = note_watch;
	start(0, LOOP_READ);
	make_ready(0);
	loop_turn(-1);
	loop_turn(0);
	ck_assert_str_eq(order, "wt1212");
}
END_TEST

static void stop_at_once(struct watch *watch, short events)
{
	note_watch(watch, events);
	loop_stop();
}

START_TEST(the_end_of_the_run_is_the_end_of_a_turn)
{
	loop_at_turn_end(note_first_end);
	watches[0].callback = stop_at_once;
	start(0, LOOP_WRITE);
	loop_run();
	ck_assert_str_eq(order, "w11");
	loop_stop();
	loop_run();
	ck_assert_str_eq(order, "w111");
}
END_TEST

START_TEST(at_most_eight_things_are_due_at_the_end)
{
	for (int i = 0; i < 10; i++)
		loop_at_turn_end(note_first_end);
	loop_turn(0);
	ck_assert_str_eq(order, "11111111");
}
END_TEST

static void wake_up(int signal)
{
	(void)signal;
	calls++;
}

START_TEST(a_signal_interrupts_nothing_but_the_sleep)
{
	struct sigaction action = { .sa_handler = wake_up };
	struct itimerspec soon = { .it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t alarm;

	sigaction(SIGALRM, &action, NULL);
	start(0, LOOP_READ);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &alarm), 0);
	ck_assert_int_eq(timer_settime(alarm, 0, &soon, NULL), 0);
	loop_turn(-1);
	timer_delete(alarm);
	ck_assert_int_ge(calls, 1);
	ck_assert_int_eq(heard[0], 0);
}
END_TEST

START_TEST(the_wall_clock_is_that_of_the_system)
{
	int64_t before = time(NULL), after;

	loop_turn(0);
	after = time(NULL);
	/* The loop's clock is coarse and may be a tick late. */
	ck_assert_int_ge(clock_wall(), before - 1);
	ck_assert_int_le(clock_wall(), after);
}
END_TEST

static TCase *cases_over(const char *name, void (*set_up)(void))
{
	TCase *cases = tcase_create(name);

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, calls_those_that_are_ready);
	tcase_add_test(cases, a_watch_knows_whether_it_is_started);
	tcase_add_test(cases, starting_again_replaces_what_is_waited_for);
	tcase_add_test(cases, an_event_for_a_stopped_watch_is_dropped);
	tcase_add_test(cases, a_watch_stopped_and_started_is_called_in_the_next_turn);
	tcase_add_test(cases, an_event_that_is_no_longer_wanted_is_dropped);
	tcase_add_test(cases, a_callback_may_free_every_watch);
	tcase_add_test(cases, a_watch_that_cannot_be_started_is_stopped);
	tcase_add_test(cases, sleeps_until_the_next_timer);
	tcase_add_test(cases, a_turn_lasts_no_longer_than_it_may);
	tcase_add_test(cases, a_turn_has_its_order);
	tcase_add_test(cases, the_end_of_the_run_is_the_end_of_a_turn);
	tcase_add_test(cases, at_most_eight_things_are_due_at_the_end);
	tcase_add_test(cases, a_signal_interrupts_nothing_but_the_sleep);
	tcase_add_test(cases, the_wall_clock_is_that_of_the_system);
	return cases;
}

Suite *loop_suite(void);

Suite *loop_suite(void)
{
	Suite *suite = suite_create("loop");

	suite_add_tcase(suite, cases_over("poll", set_up_poll));
	suite_add_tcase(suite, cases_over("epoll", set_up_epoll));
	return suite;
}
