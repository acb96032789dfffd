/* Reads the PROXY header with which a balancer begins a connection, and not one byte more:
 * what follows is the handler's. */
#ifndef USHERD_FRONTEND_PROXIED_H
#define USHERD_FRONTEND_PROXIED_H

#include "session/session.h"

/* For the whole header. The protocol asks for at least 3 seconds, so that one packet can be
 * lost. */
enum { PROXIED_DEADLINE_MS = 5000 };

/* fault: why the header is not valid, or did not come; NULL: the session has its client. */
typedef void proxied_step(struct session *session, const char *fault);

/* Reads the header of a session whose balancer is session->proxy, then calls next. If the
 * header names a client, session->peer, local and facts are what it says. Otherwise, as for
 * a health check, the peer is the balancer, and session->proxy is unknown.
 *
 * A connection that ends without a byte has only tried the port: the session is closed, and
 * next is not called. If memory runs out, the session fails. */
void proxied_read(struct session *session, proxied_step *next);

#endif
