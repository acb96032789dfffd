#include "handlers/relay.h"

#include "base/container_of.h"
#include "handlers/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* After a read of so many bytes a pipe is used: with much data it takes a quarter of the
 * time of copying, with little data it takes longer. */
enum { BULK = 16384 };

/* One buffer for all: an idle relay needs only its struct. Its size is also the most that
 * a relay keeps for a slow side. */
static char bytes[65536];

static struct relay_side *other_side(const struct relay_side *side)
{
	struct relay_side *sides = side->relay->sides;

	return side == &sides[0] ? &sides[1] : &sides[0];
}

static bool is_passing(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool is_blocked(const struct relay_side *from)
{
	return !outbox_is_empty(&from->unsent) || from->pipe;
}

static void drop_unsent(struct relay_side *from)
{
	outbox_clear(&from->unsent);
	if (from->pipe)
		pipe_give_back(from->pipe);
	from->pipe = NULL;
}

/* --- one direction ---------------------------------------------------------------- */

static void end_direction(struct relay_side *from)
{
	struct relay_side *to = other_side(from);

	from->has_ended = true;
	if (!to->has_ended) /* otherwise it will be closed anyway */
		shutdown(to->watch.fd, SHUT_WR);
}

/* The connection of that side is broken. If it had sent everything before, the other side gets an
 * ordinary end. */
static void lose(struct relay_side *side)
{
	side->is_lost = true;
	side->is_cut |= !side->has_ended;
}

/* The sender's connection is broken. Its data has been read. */
static void lose_sender(struct relay_side *from)
{
	lose(from);
	from->has_ended = other_side(from)->has_ended = true;
}

/* The receiver's connection is broken. Its data can still be read; then it has ended. */
static void lose_receiver(struct relay_side *from)
{
	lose(other_side(from));
	drop_unsent(from);
	from->has_ended = true;
	shutdown(other_side(from)->watch.fd, SHUT_RD);
}

/* Reads once and sends the data. Returns the result of read(2). */
static ssize_t pass_copied(struct relay_side *from)
{
	ssize_t length = recv(from->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (length > 0 &&
	    outbox_send(&from->unsent, other_side(from)->watch.fd, bytes, (size_t)length) < 0)
		lose_receiver(from);
	return length;
}

static void deliver_unsent(struct relay_side *from)
{
	if (outbox_flush(&from->unsent, other_side(from)->watch.fd) < 0)
		lose_receiver(from);
}

static ssize_t splice_some(int from, int to, size_t length)
{
	return splice(from, NULL, to, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

static void deliver_spliced(struct relay_side *from)
{
	ssize_t sent =
		splice_some(from->pipe->read_end, other_side(from)->watch.fd, from->pipe->length);

	if (sent > 0)
		from->pipe->length -= (size_t)sent;
	else if (!is_passing(sent))
		lose_receiver(from);
	if (from->pipe && from->pipe->length == 0)
		drop_unsent(from);
}

/* The same as pass_copied, through from->pipe. */
static ssize_t pass_spliced(struct relay_side *from)
{
	ssize_t length = splice_some(from->watch.fd, from->pipe->write_end, PIPE_SIZE);

	if (length <= 0) {
		drop_unsent(from);
		return length;
	}
	from->pipe->length = (size_t)length;
	deliver_spliced(from);
	return length;
}

static void receive_some(struct relay_side *from)
{
	ssize_t length;

	if (from->is_bulk)
		from->pipe = pipe_take();
	length = from->pipe ? pass_spliced(from) : pass_copied(from);
	if (is_passing(length))
		return;
	from->is_bulk = length >= BULK;
	if (length > 0)
		from->received += (uint64_t)length;
	else if (length == 0)
		end_direction(from);
	else
		lose_sender(from);
}

static void deliver_some(struct relay_side *from)
{
	if (from->pipe)
		deliver_spliced(from);
	else
		deliver_unsent(from);
}

/* --- both together ------------------------------------------------------------------ */

static short wanted_events(const struct relay_side *side)
{
	short events = 0;

	if (!side->has_ended && !is_blocked(side))
		events |= LOOP_READ;
	if (is_blocked(other_side(side)))
		events |= LOOP_WRITE;
	return events;
}

static bool watch_side(struct relay_side *side)
{
	short events = wanted_events(side);

	if (events == side->watch.events)
		return true;
	if (events)
		return watch_start(&side->watch, events) == 0;
	/* Otherwise the known end would be reported again and again. */
	watch_stop(&side->watch);
	return true;
}

static void finish(struct relay *relay)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	for (int i = 0; i < 2; i++)
		if (relay->sides[1 - i].is_cut)
			setsockopt(relay->sides[i].watch.fd, SOL_SOCKET, SO_LINGER, &reset,
				   sizeof reset);
	relay_stop(relay);
	relay->done(relay);
}

static void finish_broken(struct relay *relay)
{
	relay->sides[0].is_cut = relay->sides[1].is_cut = true;
	finish(relay);
}

/* How long the relay may be idle now; 0: for ever. */
static uint64_t patience_with(const struct relay *relay)
{
	bool is_half_closed = relay->sides[0].has_ended || relay->sides[1].has_ended;
	uint64_t patience = is_half_closed ? RELAY_SILENCE_MS : 0;

	return relay->idle_ms && (!patience || relay->idle_ms < patience) ? relay->idle_ms
									  : patience;
}

static void await_traffic(struct relay *relay)
{
	uint64_t patience = patience_with(relay);

	if (patience)
		timer_start(&relay->silence, patience);
}

static void settle(struct relay *relay)
{
	struct relay_side *first = &relay->sides[0], *second = &relay->sides[1];

	if (first->has_ended && second->has_ended) {
		finish(relay);
		return;
	}
	await_traffic(relay);
	if (!watch_side(first) || !watch_side(second))
		finish_broken(relay);
}

static void on_event(struct watch *watch, short events)
{
	struct relay_side *side = container_of(watch, struct relay_side, watch);

	if (is_blocked(other_side(side)))
		deliver_some(other_side(side));
	if ((events & ~LOOP_WRITE) && (watch->events & LOOP_READ))
		receive_some(side);
	settle(side->relay);
}

/* A connection that is not finished is closed with a reset. */
static void on_silence(struct timer *timer)
{
	struct relay *relay = container_of(timer, struct relay, silence);
	bool is_cut = false;

	relay->was_idle = patience_with(relay) == relay->idle_ms;
	for (int i = 0; i < 2; i++)
		is_cut |= relay->sides[i].has_ended || is_blocked(&relay->sides[i]);
	relay->sides[0].is_cut = relay->sides[1].is_cut = is_cut;
	finish(relay);
}

void relay_start(struct relay *relay, int first, int second, uint64_t idle_ms, relay_done *done)
{
	const int fds[2] = { first, second };

	memset(relay, 0, sizeof *relay);
	relay->done = done;
	relay->idle_ms = idle_ms;
	timer_init(&relay->silence, on_silence);
	for (int i = 0; i < 2; i++) {
		relay->sides[i].relay = relay;
		watch_init(&relay->sides[i].watch, fds[i], on_event);
	}
	receive_some(&relay->sides[0]);
	settle(relay);
}

void relay_stop(struct relay *relay)
{
	if (!relay->done)
		return;
	timer_stop(&relay->silence);
	for (int i = 0; i < 2; i++) {
		watch_stop(&relay->sides[i].watch);
		drop_unsent(&relay->sides[i]);
	}
}
