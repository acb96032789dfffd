/* Tells rpcbind, RFC 1833, on which port an RPC service is to be found. It is
 * asked by a worker, one request after the other, as it may be slow or gone. */
#ifndef USHERD_MONITOR_RPC_H
#define USHERD_MONITOR_RPC_H

#include "config/settings.h"

#include <stdint.h>

/* Registers every version of settings' program for the socket fd. What can't be
 * registered is logged. */
void rpc_register(const struct service_settings *settings, int fd);

/* Takes the registrations for a socket of that family back. */
void rpc_unregister(const struct service_settings *settings, int family);

/* Turns the loop until every request has been answered, at most milliseconds:
 * for the daemon's end. */
void rpc_finish(uint64_t milliseconds);

#endif
