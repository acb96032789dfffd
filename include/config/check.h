/* Checks of a service, and of all of them together, once every attribute has its value.
 * Internal to config. */
#ifndef USHERD_CONFIG_CHECK_H
#define USHERD_CONFIG_CHECK_H

#include "config/problem.h"
#include "config/settings.h"

#include <stdbool.h>

/* Fills in what follows from other attributes (protocol from socket_type, the
 * port from the port map ...) and reports everything that keeps the service from being
 * started. False when there is such an error. is_whole is false when lines of its entry
 * were left out: then missing attributes are not reported. internal_exists is that of
 * struct load_options. */
bool check_service(struct service_settings *service, bool is_whole, const struct port_map *ports,
		   bool (*internal_exists)(const char *name, int socket_type),
		   struct problems *problems);

/* Reports and removes a service that needs the same socket as an earlier one. */
void check_sockets(struct settings *settings, struct problems *problems);

#endif
