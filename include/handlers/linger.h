/* Closes a connection so that its end is not lost. If a socket is closed while it has unread
 * input, or gets more, TCP resets the connection, and what the peer has not read yet may be
 * gone. So only the sending half is closed; what the peer still sends is read and dropped
 * until it closes its half, for a limited time and a limited number of bytes. Loop thread
 * only. */
#ifndef USHERD_HANDLERS_LINGER_H
#define USHERD_HANDLERS_LINGER_H

#include "base/loop.h"
#include "base/timer.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	LINGER_BYTES_MAX = 64 << 20, /* dropped at most */
	LINGERING_MAX = 1024,        /* connections; the oldest make room for others */
};

struct lingering;

/* The connection is to be closed now, by the caller of linger_start. */
typedef void linger_done(struct lingering *lingering);

/* One connection; embedded in its owner. The fields are the room's own. */
struct lingering {
	TAILQ_ENTRY(lingering) link;
	struct watch watch;
	struct timer deadline;
	const void *owner;
	size_t left; /* bytes that may still be dropped */
	linger_done *done;
	bool is_started;
};

/* Closes the sending half of fd, which stays the caller's, and waits for the peer. Nobody else
 * may still use the connection. owner: who else may want its descriptor, see linger_make_room.
 * True: done is called once, later, unless linger_stop is called first. False: there is
 * nothing to wait for. */
bool linger_start(struct lingering *lingering, int fd, uint64_t ms, const void *owner,
		  linger_done *done) __attribute__((warn_unused_result));

/* Must come before close(2). Harmless when it is over, or all zero. */
void linger_stop(struct lingering *lingering);

/* Ends the oldest connection of that owner at once. False: it has none. */
bool linger_make_room(const void *owner);

/* Closes a session in this way. It must have no stop of its own any more. */
void session_linger(struct session *session, uint64_t ms);

#endif
