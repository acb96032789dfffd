/* Datagrams to built-in services, answered in batches by the loop. */
#ifndef USHERD_FRONTEND_DATAGRAMS_H
#define USHERD_FRONTEND_DATAGRAMS_H

#include "admission/verdict.h"
#include "frontend/service.h"

/* Answers waiting datagrams, at most a batch; the socket stays readable for the rest. */
void datagrams_serve(struct listener *listener);

/* Decides about a sender by the bans and the address lists, without waiting. With
 * needs_names, call again: its names are being looked up. */
struct judgement datagrams_judge(struct service *service, const struct address *peer);

/* Logs and counts a datagram whose sender is refused for its address. */
void datagrams_refuse(struct service *service, const struct address *peer);

/* answers: asks the kernel for the local address of each datagram, so that the answer is
 * sent from there; not for a socket whose datagrams a program answers. From now on no
 * datagram from the socket's port is answered. */
void datagrams_prepare(int fd, int family, bool answers);

#endif
