/* The socket of a wait service while its server has it. Loop thread only. */
#ifndef USHERD_FRONTEND_LENDING_H
#define USHERD_FRONTEND_LENDING_H

#include "frontend/listener.h"
#include "session/session.h"

/* The server of this session has the listener's socket, which is not watched meanwhile. */
void lending_begin(struct listener *listener, struct session *session);

/* The session, which has an origin, closes: the socket is the listener's again. It is watched at
 * once, or after a delay when the server has read nothing. */
void lending_end(struct session *session);

/* Drops the datagram or connection for which the server was not started. Otherwise the socket
 * would be readable again at once. */
void lending_dismiss_one(const struct listener *listener);

#endif
