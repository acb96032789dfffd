/* Datagrams to built-in services, answered in batches by the loop. */
#ifndef USHERD_FRONTEND_DATAGRAMS_H
#define USHERD_FRONTEND_DATAGRAMS_H

#include "admission/verdict.h"
#include "frontend/service.h"

/* Answers what has come, at most a batch; what is left keeps the socket
 * readable. */
void datagrams_serve(struct listener *listener);

/* What the bans and the address lists say of a sender, as far as can be known without
 * waiting. With needs_names, ask again: its names are being looked up. */
struct judgement datagrams_judge(struct service *service, const struct address *peer);

/* Logs and counts a datagram whose sender is refused for its address. */
void datagrams_refuse(struct service *service, const struct address *peer);

/* Has the kernel say which local address a datagram came to, so that the answer
 * leaves from there; or no longer, for a socket whose datagrams a program answers.
 * From now on no datagram from its port is answered. */
void datagrams_prepare(int fd, int family, bool answers);

#endif
