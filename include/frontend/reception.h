/* From an accepted connection to its handler: banner, admission, lookup of names,
 * hosts.allow and identd, in that order, cheapest first. Every wait has a deadline, and
 * none blocks. */
#ifndef USHERD_FRONTEND_RECEPTION_H
#define USHERD_FRONTEND_RECEPTION_H

#include "channel/message.h"
#include "frontend/service.h"

/* ident_limit: -logprocs, how many refused peers' identd may be asked at a time. */
void reception_init(unsigned ident_limit);

/* Begins a session for a connection. Takes fd over. */
void reception_connection(struct service *service, int fd, const struct address *peer);

/* The same for a tcpmux client of this service, with the positive reply of TCPMUXPLUS, or
 * a negative reply when it is refused. */
void reception_multiplexed(struct service *service, int fd, const struct address *peer);

/* A wait service's socket is readable: decides about peer and starts the server. peer is
 * unknown for a stream. */
void reception_wait(struct listener *listener, const struct address *peer);

/* Continues a session whose program an earlier frontend had started. errors, the read end
 * of its standard error or -1, is taken over. */
void reception_resume(struct service *service, const struct program_message *program, int errors);

#endif
