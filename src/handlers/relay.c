#include "handlers/relay.h"

#include "base/container_of.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One buffer for all: what an idle relay costs is its struct. It also bounds
 * what a relay keeps for a slow side. */
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
	return from->unsent;
}

static void drop_unsent(struct relay_side *from)
{
	free(from->unsent);
	from->unsent = NULL;
}

/* --- one direction ---------------------------------------------------------------- */

static void on_silence(struct timer *timer);

static void end_direction(struct relay_side *from)
{
	struct relay_side *to = other_side(from);

	drop_unsent(from);
	from->has_ended = true;
	if (to->has_ended)
		return; /* closing says it too */
	shutdown(to->watch.fd, SHUT_WR);
	timer_start(&from->relay->silence, RELAY_SILENCE_MS);
}

/* From is gone. What it sent before has been read. */
static void lose_sender(struct relay_side *from)
{
	from->relay->is_broken = true;
	from->has_ended = other_side(from)->has_ended = true;
}

/* To is gone. What it sent before can still be read, and nothing more will come. */
static void lose_receiver(struct relay_side *from, struct relay_side *to)
{
	from->relay->is_broken = true;
	drop_unsent(from);
	from->has_ended = true;
	shutdown(to->watch.fd, SHUT_RD);
}

static ssize_t send_some(int fd, const char *what, size_t length)
{
	ssize_t sent = send(fd, what, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return is_passing(sent) ? 0 : sent;
}

static bool keep_unsent(struct relay_side *from, const char *what, size_t length)
{
	from->unsent = malloc(length);
	if (!from->unsent)
		return false;
	memcpy(from->unsent, what, length);
	from->unsent_length = length;
	from->unsent_offset = 0;
	return true;
}

static void receive_some(struct relay_side *from)
{
	struct relay_side *to = other_side(from);
	ssize_t length = recv(from->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);
	ssize_t sent;

	if (is_passing(length))
		return;
	if (length < 0) {
		lose_sender(from);
		return;
	}
	if (length == 0) {
		end_direction(from);
		return;
	}
	from->received += (uint64_t)length;
	sent = send_some(to->watch.fd, bytes, (size_t)length);
	if (sent < 0 ||
	    (sent < length && !keep_unsent(from, bytes + sent, (size_t)(length - sent))))
		lose_receiver(from, to);
}

static void deliver_unsent(struct relay_side *from)
{
	struct relay_side *to = other_side(from);
	ssize_t sent = send_some(to->watch.fd, from->unsent + from->unsent_offset,
				 from->unsent_length - from->unsent_offset);

	if (sent < 0) {
		lose_receiver(from, to);
		return;
	}
	from->unsent_offset += (size_t)sent;
	if (from->unsent_offset == from->unsent_length)
		drop_unsent(from);
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
	/* Not to be told again and again of an end that is known. */
	watch_stop(&side->watch);
	return true;
}

static void finish(struct relay *relay)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	for (int i = 0; relay->is_broken && i < 2; i++)
		setsockopt(relay->sides[i].watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	relay_stop(relay);
	relay->done(relay);
}

static void finish_broken(struct relay *relay)
{
	relay->is_broken = true;
	finish(relay);
}

static void settle(struct relay *relay)
{
	if (relay->sides[0].has_ended && relay->sides[1].has_ended)
		finish(relay);
	else if (!watch_side(&relay->sides[0]) || !watch_side(&relay->sides[1]))
		finish_broken(relay);
}

static void on_event(struct watch *watch, short events)
{
	struct relay_side *side = container_of(watch, struct relay_side, watch);

	side->relay->active = loop_now();
	if (is_blocked(other_side(side)))
		deliver_unsent(other_side(side));
	if ((events & ~LOOP_WRITE) && (watch->events & LOOP_READ))
		receive_some(side);
	settle(side->relay);
}

static void on_silence(struct timer *timer)
{
	struct relay *relay = container_of(timer, struct relay, silence);
	uint64_t silent = loop_now() - relay->active;

	if (silent < RELAY_SILENCE_MS)
		timer_start(timer, RELAY_SILENCE_MS - silent);
	else
		finish_broken(relay);
}

void relay_start(struct relay *relay, int first, int second, relay_done *done)
{
	const int fds[2] = { first, second };

	memset(relay, 0, sizeof *relay);
	relay->active = loop_now();
	relay->done = done;
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
