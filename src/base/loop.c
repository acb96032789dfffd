#include "base/loop.h"

#include "base/clock.h"
#include "base/poller.h"
#include "base/timer.h"

#include <limits.h>
#include <stddef.h>

enum { TURN_END_CALLBACKS = 8 };

static struct poller_event events_of_turn[POLLER_BATCH];
static void (*turn_end[TURN_END_CALLBACKS])(void);
static int turn_ends;
static bool is_stopping;

int loop_init(void)
{
	turn_ends = 0;
	is_stopping = false;
	clock_update();
	return poller_init();
}

void loop_free(void)
{
	poller_free();
	turn_ends = 0;
}

void watch_init(struct watch *watch, int fd, watch_callback *callback)
{
	*watch = (struct watch){ .fd = fd, .callback = callback, .slot = -1, .ready = -1 };
}

int watch_start(struct watch *watch, short events)
{
	if (poller_set(watch, events) < 0) {
		watch_stop(watch);
		return -1;
	}
	watch->events = events;
	return 0;
}

void watch_stop(struct watch *watch)
{
	poller_remove(watch);
	watch->events = 0;
	if (watch->ready >= 0)
		events_of_turn[watch->ready].watch = NULL;
	watch->ready = -1;
}

bool watch_is_started(const struct watch *watch)
{
	return watch->slot >= 0;
}

void loop_at_turn_end(void (*callback)(void))
{
	if (turn_ends < TURN_END_CALLBACKS)
		turn_end[turn_ends++] = callback;
}

static void finish_turn(void)
{
	for (int i = 0; i < turn_ends; i++)
		turn_end[i]();
}

/* Callbacks take time, so the wait is computed from the clock, not from the beginning of
 * this turn. */
static int wait_until_next_timer(int max_wait_ms)
{
	int64_t wait_ms = timers_next(clock_read());

	if (wait_ms < 0 || (max_wait_ms >= 0 && wait_ms > max_wait_ms))
		return max_wait_ms;
	return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

/* Events of a watch that an earlier callback of this turn stopped are dropped. */
static void dispatch(const struct poller_event *event)
{
	struct watch *watch = event->watch;
	short events;

	if (!watch)
		return;
	watch->ready = -1;
	events = event->events & (watch->events | POLLHUP | POLLERR);
	if (events)
		watch->callback(watch, events);
}

void loop_turn(int max_wait_ms)
{
	int ready = poller_wait(events_of_turn, wait_until_next_timer(max_wait_ms));

	clock_update();
	for (int i = 0; i < ready; i++)
		events_of_turn[i].watch->ready = i;
	for (int i = 0; i < ready; i++)
		dispatch(&events_of_turn[i]);
	timers_run(clock_now());
	finish_turn();
}

void loop_run(void)
{
	while (!is_stopping)
		loop_turn(-1);
	is_stopping = false;
	finish_turn();
}

void loop_stop(void)
{
	is_stopping = true;
}
