/* pty: copies bytes between the connection of a session and the terminal of its program, in the
 * loop. It reads from one side only what the other side has room for, up to a buffer: a client
 * that does not read stops the program, and the other way round.
 *
 * The connection is
 *	relayed    while the program runs and has its terminal. When the client is gone, the master
 *		   is closed: the kernel hangs up, and the session goes on without a connection;
 *	lingering  when no process has the terminal any more, and all it wrote is sent;
 *	flushed    when the session has ended and the client has not taken everything yet: for a
 *		   limited time, in which the session still counts.
 * Loop thread only. */
#ifndef USHERD_HANDLERS_TERMINAL_RELAY_H
#define USHERD_HANDLERS_TERMINAL_RELAY_H

#include "session/session.h"

enum {
	TERMINAL_DRAIN_MAX = 256 * 1024, /* taken at most from a terminal when its session ends */
	TERMINAL_FLUSH_MS = 60 * 1000,   /* until the client must have taken it */
	TERMINAL_ENDS = 1024,            /* how often the end of input can be read */
};

struct terminal_relay;

/* For a session whose program is about to be started. NULL: out of memory. */
struct terminal_relay *terminal_relay_new(struct session *session);

/* Closes the terminal; the connection stays the session's. NULL is harmless. */
void terminal_relay_free(struct terminal_relay *relay);

/* The program runs; the master is taken over. May end the session, but does not close it. */
void terminal_relay_start(struct terminal_relay *relay, int master);

/* The session's processes have ended, or only its program if nobody follows the others: takes
 * what they have written, hangs up, and writes the TRAFFIC line. */
void terminal_relay_record(struct terminal_relay *relay);

/* After the EXIT line: closes the session when its client has everything, and frees relay. */
void terminal_relay_end(struct terminal_relay *relay);

#endif
