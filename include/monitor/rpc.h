/* Registers the ports of RPC services with rpcbind (RFC 1833). A worker sends one request
 * after the other, because rpcbind may be slow or not running. */
#ifndef USHERD_MONITOR_RPC_H
#define USHERD_MONITOR_RPC_H

#include "config/settings.h"

#include <stdint.h>

/* Registers every version of settings' program for the socket fd. Failures are logged. */
void rpc_register(const struct service_settings *settings, int fd);

/* Removes the registrations for a socket of that family. */
void rpc_unregister(const struct service_settings *settings, int family);

/* At the daemon's end: runs the loop until every request is answered, at most for that many
 * milliseconds. */
void rpc_finish(uint64_t milliseconds);

#endif
