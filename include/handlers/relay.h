/* Copies bytes between two connected stream sockets in both directions, until both sides
 * have sent everything or one connection breaks. When one side closes its direction, that
 * is passed on while the other goes on (half-close); a reset is passed on as a reset, except
 * one from a side that has closed before: it only takes no more. A slow side makes the other
 * wait. Loop thread only. */
#ifndef USHERD_HANDLERS_RELAY_H
#define USHERD_HANDLERS_RELAY_H

#include "base/loop.h"
#include "base/outbox.h"
#include "base/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a relay may be idle after one side has finished. */
enum { RELAY_SILENCE_MS = 3600 * 1000 };

struct pipe;
struct relay;

/* The relay has ended; the caller can close the sockets. */
typedef void relay_done(struct relay *relay);

/* One socket, and the bytes that come from it. */
struct relay_side {
	uint64_t received; /* how many; the owner may read it ... */
	bool is_lost;      /* ... and this: its connection broke */
	bool is_cut;       /* ... and this: its data is not complete, so the other socket is set
			    * to end with a reset */

	/* The relay's own. */
	struct relay *relay;
	struct watch watch;
	bool has_ended;       /* it has closed, and all its data was delivered */
	bool is_bulk;         /* the last read returned much data */
	struct outbox unsent; /* data for which the other side has no room yet */
	struct pipe *pipe;    /* or that data is in here */
};

/* Embedded in its owner. */
struct relay {
	struct relay_side sides[2];
	bool was_idle; /* it is over because of idle_ms; the owner may read it */

	/* The relay's own. */
	struct timer silence;
	uint64_t idle_ms;
	relay_done *done;
};

/* Relays between two sockets, which are non-blocking, stay the caller's and have no
 * other watch. The first one is read at once: its client may have sent data already.
 * idle_ms: how long the relay may be idle; 0: for ever, until one side has finished. done
 * is called once, possibly before this returns, unless relay_stop is called first.
 * SIGPIPE must be ignored. */
void relay_start(struct relay *relay, int first, int second, uint64_t idle_ms, relay_done *done);

/* Must come before close(2) of either socket; frees what the relay holds. Harmless
 * on a relay that is over, or that is all zero. */
void relay_stop(struct relay *relay);

#endif
