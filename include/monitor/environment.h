/* The environment of a program: the variables of its service's settings, and those about
 * its connection. */
#ifndef USHERD_MONITOR_ENVIRONMENT_H
#define USHERD_MONITOR_ENVIRONMENT_H

#include "channel/message.h"
#include "config/settings.h"

#include <stddef.h>

/* How many bytes the environment of a program of these settings needs. proxied: how its
 * client came through a balancer; NULL: directly. */
size_t environment_size(const struct service_settings *settings, const struct proxied *proxied);

/* Writes the environment of a program that serves peer on a socket with the address
 * local into room, which is aligned for pointers and has that many bytes. Returns the
 * list of variables, NULL-ended and valid as long as room and settings. With proxied the
 * local address is that one. */
char **environment_fill(void *room, const struct service_settings *settings,
			const struct address *peer, const struct address *local,
			const struct proxied *proxied);

#endif
