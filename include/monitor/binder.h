/* The sockets that services listen on: opened for endpoints that a service's
 * settings allow, and kept open for later frontends. Loop thread only. */
#ifndef USHERD_MONITOR_BINDER_H
#define USHERD_MONITOR_BINDER_H

#include "channel/message.h"
#include "config/generation.h"

#include <stddef.h>

/* A socket, or two: INTERCEPT of datagrams has a second one for refused datagrams. The binder
 * owns them. */
struct bound {
	int fd, refused; /* refused: -1 without */
	bool is_new;     /* no service or server has had it */
};

/* Gives the service a socket on the wanted endpoint: its own, if it has one there; else one of
 * the same kind, which another service loses; else a new one. service is its number in the
 * generation in force.
 * Returns 0, or -1 with errno; EPERM: the settings do not ask for that endpoint. */
int binder_bind(const struct service_settings *settings, uint32_t service,
		const struct bind_message *wanted, struct bound *bound)
	__attribute__((warn_unused_result));

/* Takes over an open socket, for the service that will want one of its kind on its address. It
 * belongs to no service until then: see binder_sweep. Returns 0, or -1 with errno, and the
 * descriptor stays the caller's: EINVAL: nothing can come in there; EEXIST: there is one. */
int binder_inherit(int fd) __attribute__((warn_unused_result));

/* closing is called before a socket is closed: its descriptor may have been lent. */
void binder_init(void (*closing)(void));

/* Closes the socket; does nothing if the service has no such one. */
void binder_unbind(uint32_t service, const struct bind_message *which);

/* The socket of the service on that endpoint, for a wait server; owned by the binder. -1:
 * none. */
int binder_socket(uint32_t service, const struct bind_message *which);

/* Permits connections from that port of the loopback interface to the service's inner
 * socket, and forbids them again. 0, or -1 with errno. */
int binder_let_in(const struct service_settings *settings, uint32_t service, uint16_t port)
	__attribute__((warn_unused_result));
void binder_let_out(const struct service_settings *settings, uint32_t service, uint16_t port);

/* Forbids all connections to inner sockets. */
void binder_close_gates(void);

/* Another generation is in force: service number i of count has the number numbers[i] from now
 * on. Until binder_sweep any service can take sockets of removed services (SERVICE_IS_NEW). */
void binder_renumber(const uint32_t *numbers, uint32_t count);

/* How many descriptors its sockets take. */
unsigned binder_descriptors(void);

/* Closes the sockets that no service has taken. Returns how many. */
unsigned binder_sweep(void);

void binder_close_all(void);

#endif
