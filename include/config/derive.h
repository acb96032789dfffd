/* Values of a service that follow from other values of it. Internal to config. */
#ifndef USHERD_CONFIG_DERIVE_H
#define USHERD_CONFIG_DERIVE_H

#include "config/settings.h"

/* The socket type from the protocol, or the protocol from the socket type: stream means
 * tcp and dgram means udp. What can't be derived stays unset. */
void derive_socket(struct service_settings *service);

/* The arguments and the environment of the program that the service starts. For want of
 * memory service->arena.failed is set. */
void derive_launch(struct service_settings *service);

#endif
