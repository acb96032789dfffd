/* A pairing heap, without recursion, so that no number of timers can exhaust the stack. */
#include "base/timer.h"

#include "base/clock.h"

#include <stddef.h>

static struct timer *heap;

/* Timers that are started by callbacks of timers_run wait here; otherwise a timer that
 * restarts itself with delay 0 would keep it busy for ever. */
static struct timer *started;
static bool is_running;

/* Makes the later of two roots the first child of the earlier. */
static struct timer *merge(struct timer *one, struct timer *other)
{
	struct timer *later = one, *earlier = other;

	if (!one || !other)
		return one ? one : other;
	if (one->due <= other->due) {
		earlier = one;
		later = other;
	}
	later->previous = earlier;
	later->sibling = earlier->child;
	if (earlier->child)
		earlier->child->previous = later;
	earlier->child = later;
	return earlier;
}

/* Removes the first timer from a list of siblings and makes it a root. */
static struct timer *take_first(struct timer **siblings)
{
	struct timer *first = *siblings;

	if (!first)
		return NULL;
	*siblings = first->sibling;
	first->sibling = NULL;
	first->previous = NULL;
	return first;
}

/* Merges siblings by pairs, then the pairs from the last to the first. */
static struct timer *combine(struct timer *siblings)
{
	struct timer *pairs = NULL, *root = NULL;

	while (siblings) {
		struct timer *one = take_first(&siblings);
		struct timer *pair = merge(one, take_first(&siblings));

		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs)
		root = merge(root, take_first(&pairs));
	return root;
}

/* The pointer to a timer: its parent's, its left sibling's, or one of the two roots. */
static struct timer **place_of(struct timer *timer)
{
	struct timer *previous = timer->previous;

	if (!previous)
		return timer == heap ? &heap : &started;
	return previous->child == timer ? &previous->child : &previous->sibling;
}

/* Replaces the timer by its children, which are no earlier. */
static void remove_from_heap(struct timer *timer)
{
	struct timer **place = place_of(timer);
	struct timer *successor = combine(timer->child);
	struct timer *next = timer->sibling;

	if (successor) {
		successor->previous = timer->previous;
		successor->sibling = next;
		*place = successor;
	} else {
		*place = next;
	}
	if (next)
		next->previous = successor ? successor : timer->previous;
	timer->child = timer->sibling = timer->previous = NULL;
}

void timer_init(struct timer *timer, timer_callback *callback)
{
	*timer = (struct timer){ .callback = callback };
}

void timer_start(struct timer *timer, uint64_t delay_ms)
{
	struct timer **root = is_running ? &started : &heap;
	uint64_t now = clock_now();

	timer_stop(timer);
	timer->due = delay_ms < UINT64_MAX - now ? now + delay_ms : UINT64_MAX;
	timer->pending = true;
	*root = merge(*root, timer);
}

void timer_stop(struct timer *timer)
{
	if (!timer->pending)
		return;
	remove_from_heap(timer);
	timer->pending = false;
}

bool timer_is_pending(const struct timer *timer)
{
	return timer->pending;
}

int64_t timers_next(uint64_t now)
{
	if (!heap)
		return -1;
	if (heap->due <= now)
		return 0;
	return heap->due - now < INT64_MAX ? (int64_t)(heap->due - now) : INT64_MAX;
}

void timers_run(uint64_t now)
{
	is_running = true;
	while (heap && heap->due <= now) {
		struct timer *timer = heap;

		timer_stop(timer);
		timer->callback(timer);
	}
	is_running = false;
	heap = merge(heap, started);
	started = NULL;
}
