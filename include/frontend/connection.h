/* A connection from accept(2) to its handler: it takes the steps of admission
 * (admission/steps.h) one after the other. Every wait has a deadline, and none blocks. */
#ifndef USHERD_FRONTEND_CONNECTION_H
#define USHERD_FRONTEND_CONNECTION_H

#include "channel/message.h"
#include "frontend/service.h"

/* Begins a session for a connection from accept(2). Takes fd over. */
void connection_accepted(struct service *service, int fd, const struct address *peer);

/* The same for the client of a tcpmux session, whose descriptor and balancer are taken over: it
 * gets no banner, but the positive reply of TCPMUXPLUS, or a negative reply when it is
 * refused. */
void connection_multiplexed(struct service *service, struct session *from);

/* A wait service's socket is readable: the peer takes the steps, as far as it is known,
 * then the server is started. peer is unknown for a stream. */
void connection_wants_server(struct listener *listener, const struct address *peer);

/* Continues a session whose program an earlier frontend had started. errors, the read end
 * of its standard error or -1, is taken over. */
void connection_resume(struct service *service, const struct program_message *program, int errors);

#endif
