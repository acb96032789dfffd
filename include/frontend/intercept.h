/* INTERCEPT: a wait service's server reads its socket itself, but each peer is checked,
 * not only the first.
 *
 * Clients of a stream service are accepted and checked by the daemon; admitted ones are
 * relayed to a socket on the loopback interface, which the server gets. For datagrams the
 * kernel passes those of refused senders to a second socket on the same address, which
 * the server does not have. */
#ifndef USHERD_FRONTEND_INTERCEPT_H
#define USHERD_FRONTEND_INTERCEPT_H

#include "admission/intercept.h"
#include "frontend/listener.h"

/* Replaces the kernel's filter by one for the service's lists, with the current addresses
 * of their names; fd: either socket. 0, or -1 with errno. */
int intercept_update(int fd, const struct service *service) __attribute__((warn_unused_result));

/* Reads refused datagrams from fd and calls refused for each sender. */
void intercept_take_refused(int fd, struct service *service,
			    void (*refused)(struct service *service, const struct address *peer));

/* Permits the daemon's own connections to the server's socket: each is bound to a port,
 * which no other process can use at the same time, and only connections from that port are
 * permitted. So no other process can connect. */
extern const struct redirect_gate intercept_gate;

#endif
