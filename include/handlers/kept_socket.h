/* The frontend's own descriptor of a connection that it has handed to a program
 * (service_keeps_socket); session->fd. It is
 *	watched    while the program has the connection: for its client's end
 *		   (kill_on_disconnect), and for silence (idle_timeout)
 *	lingering  when no process has the connection any more (lingering_close)
 *	closed     at last; the program may go on.
 * Nothing is read from it while it is watched, and no error is taken from it. Loop thread
 * only. */
#ifndef USHERD_HANDLERS_KEPT_SOCKET_H
#define USHERD_HANDLERS_KEPT_SOCKET_H

#include "session/session.h"

#include <stdbool.h>

struct kept_socket;

/* For a session whose program is about to be started, and has not got the connection yet. NULL:
 * out of memory. */
struct kept_socket *kept_socket_new(struct session *session);

/* Watches nothing any more; the descriptor stays the session's. NULL is harmless. */
void kept_socket_free(struct kept_socket *kept);

/* The program runs. */
void kept_socket_watch(struct kept_socket *kept);

/* No process has the connection any more, while the program goes on. */
void kept_socket_released(struct kept_socket *kept);

/* Writes the TRAFFIC line, of a session whose program has ended. */
void kept_socket_record(struct kept_socket *kept);

/* The session has ended, with its EXIT line: closes it, at once or in order, and frees kept. */
void kept_socket_end(struct kept_socket *kept);

#endif
