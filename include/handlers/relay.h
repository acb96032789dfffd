/* Passes bytes between two connected stream sockets, both ways, until both sides
 * have said all they had to say or one of them breaks. The end of what one side
 * says is passed on as such while the other goes on (half-close), and a reset
 * as a reset. A side that is slow makes the other wait. Loop thread only. */
#ifndef USHERD_HANDLERS_RELAY_H
#define USHERD_HANDLERS_RELAY_H

#include "base/loop.h"
#include "base/outbox.h"
#include "base/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a relay may be silent once one side has finished. */
enum { RELAY_SILENCE_MS = 3600 * 1000 };

struct pipe;
struct relay;

/* It is over; all that is left is to close the sockets. */
typedef void relay_done(struct relay *relay);

/* One socket, and the bytes that come from it. */
struct relay_side {
	uint64_t received; /* how many; the owner may read it */

	/* The relay's own. */
	struct relay *relay;
	struct watch watch;
	bool has_ended; /* nothing more comes, and what came is delivered */
	bool is_bulk;   /* the last read brought much */
	struct outbox unsent; /* what came and the other side has no room for yet */
	struct pipe *pipe;    /* or it is in here */
};

/* Embedded in its owner. */
struct relay {
	struct relay_side sides[2];

	/* The relay's own. */
	struct timer silence;
	uint64_t idle_ms;
	bool is_broken; /* it will end with a reset */
	relay_done *done;
};

/* idle_ms: how long it may be silent at all; 0: until one side has finished, for ever.
 * Relays between two sockets, which are non-blocking, stay the caller's and have
 * no other watch. The first is read at once: who connected may have spoken
 * already. done is called once unless relay_stop comes before, possibly before
 * this returns. SIGPIPE must be ignored. */
void relay_start(struct relay *relay, int first, int second, uint64_t idle_ms, relay_done *done);

/* Must come before close(2) of either socket; frees what the relay holds. Harmless
 * on a relay that is over, or that is all zero. */
void relay_stop(struct relay *relay);

#endif
