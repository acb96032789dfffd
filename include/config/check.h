/* What must be true of a service, and of all of them together, once every
 * attribute has its value. Internal to config. */
#ifndef USHERD_CONFIG_CHECK_H
#define USHERD_CONFIG_CHECK_H

#include "config/loader.h"

/* Fills in what follows from other attributes (protocol from socket_type, the
 * port from the port map ...) and reports whatever keeps the service from being
 * started. False when something does. is_whole is false when lines of its entry
 * were left out: then nothing is said of what is missing. */
bool check_service(struct service_settings *service, bool is_whole, const struct port_map *ports,
		   const struct load_options *options, struct problems *problems);

/* Reports a service whose socket an earlier one has, and removes it. */
void check_sockets(struct settings *settings, struct problems *problems);

#endif
