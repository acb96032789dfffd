/* Datagrams to built-in services, answered in batches by the loop. */
#ifndef USHERD_FRONTEND_DATAGRAMS_H
#define USHERD_FRONTEND_DATAGRAMS_H

#include "frontend/service.h"

/* Answers waiting datagrams, at most a batch; the socket stays readable for the rest. */
void datagrams_serve(struct listener *listener);

/* Decides about a sender by the address lists, without waiting. ACCESS_NEEDS_NAMES: its
 * names are needed, and are being looked up. */
enum access_decision datagrams_judge(const struct service *service, const struct address *peer);

/* Logs and counts a datagram whose sender is refused for its address. */
void datagrams_refuse(struct service *service, const struct address *peer);

/* answers: asks the kernel for the local address of each datagram, so that the answer is
 * sent from there; not for a socket whose datagrams a program answers. From now on no
 * datagram from the socket's port is answered. */
void datagrams_prepare(int fd, int family, bool answers);

#endif
