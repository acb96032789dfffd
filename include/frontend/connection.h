/* A connection's way from accept(2) to its handler: it takes the steps of admission
 * (admission/steps.h) one after the other. What waits has a deadline and does not block. */
#ifndef USHERD_FRONTEND_CONNECTION_H
#define USHERD_FRONTEND_CONNECTION_H

#include "channel/message.h"
#include "frontend/service.h"

/* ident_limit: -logprocs, how many refused peers' ident servers are asked at a time. */
void connection_init(unsigned ident_limit);

/* Takes fd over, which accept(2) gave. */
void connection_accepted(struct service *service, int fd, const struct address *peer);

/* The same for a tcpmux client that wants this service: it gets no banner, but an answer
 * where TCPMUXPLUS or a refusal asks for one. */
void connection_multiplexed(struct service *service, int fd, const struct address *peer);

/* A wait service's socket is readable: the peer takes the steps, as far as it is known,
 * then the server is started. peer is unknown for a stream. */
void connection_wants_server(struct listener *listener, const struct address *peer);

/* A session whose program an earlier frontend had started goes on. errors, the end to
 * read of its standard error or -1, is taken over. */
void connection_resume(struct service *service, const struct program_message *program,
		       int errors);

#endif
