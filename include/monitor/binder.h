/* The sockets that services listen on: opened for endpoints that a service's
 * settings allow, and kept open for every frontend there will be. Loop thread only. */
#ifndef USHERD_MONITOR_BINDER_H
#define USHERD_MONITOR_BINDER_H

#include "channel/message.h"
#include "config/generation.h"

#include <stddef.h>

/* A socket, or two: INTERCEPT of datagrams has one for refused ones beside. They stay
 * the binder's. */
struct bound {
	int fd, refused; /* refused: -1 without */
};

/* Gives the service, number `service` of the generation in force, a socket on the
 * endpoint that wanted names: the one it has there, one that another service has
 * there and that is of the same kind, which is that service's no more, or a new one.
 * Returns 0, or -1 with errno; EPERM: the settings do not ask for that endpoint. */
int binder_bind(const struct service_settings *settings, uint32_t service,
		const struct bind_message *wanted, struct bound *bound)
	__attribute__((warn_unused_result));

/* Closes it; harmless when the service has no such socket. */
void binder_unbind(uint32_t service, const struct bind_message *which);

/* The socket of the service on that endpoint, for a wait server; it stays the
 * binder's. -1: none. */
int binder_socket(uint32_t service, const struct bind_message *which);

/* Connections from that port of the loopback interface are let in to the service's
 * inner socket, and no longer. 0, or -1 with errno. */
int binder_let_in(const struct service_settings *settings, uint32_t service, uint16_t port)
	__attribute__((warn_unused_result));
void binder_let_out(const struct service_settings *settings, uint32_t service, uint16_t port);

/* Nobody is let in to any inner socket. */
void binder_close_gates(void);

/* The generation in force is another one: service number i, of count, is numbers[i]
 * from now on. Sockets of those that are gone, SERVICE_IS_NEW, are anybody's until
 * binder_sweep. */
void binder_renumber(const uint32_t *numbers, uint32_t count);

/* Closes what nobody has taken. Returns how many that were. */
unsigned binder_sweep(void);

void binder_close_all(void);

#endif
