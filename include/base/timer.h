/* Timers on the monotonic clock. Embedded in their owner and kept in an
 * intrusive heap, so starting one allocates nothing and cannot fail, and ten
 * thousand of them cost each other nothing. */
#ifndef USHERD_BASE_TIMER_H
#define USHERD_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer;
typedef void timer_callback(struct timer *timer);

/* All fields are the heap's own. */
struct timer {
	uint64_t due; /* milliseconds, CLOCK_MONOTONIC */
	timer_callback *callback;
	struct timer *child, *sibling, *previous; /* previous: left sibling, or the parent */
	bool pending;
};

void timer_init(struct timer *timer, timer_callback *callback);

/* Calls callback once, delay_ms after clock_now(); a pending timer is moved. */
void timer_start(struct timer *timer, uint64_t delay_ms);

/* Harmless on a timer that is not pending. */
void timer_stop(struct timer *timer);

bool timer_is_pending(const struct timer *timer);

/* For the loop: milliseconds from now until the earliest timer, 0 when one is
 * due, -1 when there is none. */
int64_t timers_next(uint64_t now);

/* For the loop: calls every timer due at now, earliest first. A timer that a
 * callback starts with delay 0 waits for the next call. */
void timers_run(uint64_t now);

#endif
