/* The way in: from an accepted connection to its handler. Banner, admission,
 * the looking up of names, hosts.allow and identd, in that order, cheapest
 * first; whatever waits has a deadline and does not block. */
#ifndef USHERD_FRONTEND_RECEPTION_H
#define USHERD_FRONTEND_RECEPTION_H

#include "channel/message.h"
#include "frontend/service.h"

/* ident_limit: -logprocs, how many refused peers' identd may be asked at a time. */
void reception_init(unsigned ident_limit);

/* Receives a connection. fd is the reception's from here on. */
void reception_connection(struct service *service, int fd, const struct address *peer);

/* A tcpmux client that wants this service: the same, but for the positive reply
 * of TCPMUXPLUS and a negative one when it is refused. */
void reception_multiplexed(struct service *service, int fd, const struct address *peer);

/* A wait service's socket is readable: judges who knocks, as far as that is
 * known, and starts the server. peer is unknown for a stream. */
void reception_wait(struct listener *listener, const struct address *peer);

/* A session whose program an earlier frontend had started goes on. errors, the end to
 * read of its standard error or -1, is taken over. */
void reception_resume(struct service *service, const struct program_message *program, int errors);

#endif
