/* INTERCEPT: a wait service's server reads its socket itself, and yet each peer
 * is checked, not only the first.
 *
 * A stream's clients are accepted and judged by the daemon like any others; those
 * admitted are relayed to a socket on the loopback interface, which is the one the
 * server gets. Of datagrams, the kernel hands those of refused senders to a second
 * socket on the same address, of which the server knows nothing. */
#ifndef USHERD_FRONTEND_INTERCEPT_H
#define USHERD_FRONTEND_INTERCEPT_H

#include "admission/intercept.h"
#include "frontend/listener.h"

/* Has the kernel choose by the service's lists from now on, and by the addresses that
 * their names have now; fd: either socket. 0, or -1 with errno. */
int intercept_update(int fd, const struct service *service)
	__attribute__((warn_unused_result));

/* Takes refused datagrams off fd and tells refused of each sender. */
void intercept_take_refused(int fd, struct service *service,
			    void (*refused)(struct service *service, const struct address *peer));

/* How the daemon's own connections come to the socket that the server of a session's
 * service has: bound to a port, which nobody else can use meanwhile, and let in by that
 * port for as long as it is bound. So no other process gets in, however often it
 * tries. */
extern const struct redirect_gate intercept_gate;

#endif
