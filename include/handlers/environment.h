/* The environment of a program: what its service's settings say, and what tells it
 * about its connection. */
#ifndef USHERD_HANDLERS_ENVIRONMENT_H
#define USHERD_HANDLERS_ENVIRONMENT_H

#include "session/session.h"

#include <stddef.h>

/* How many bytes the environment of a program of these settings needs. */
size_t environment_size(const struct service_settings *settings);

/* Writes the environment of session's program into room, which is aligned for
 * pointers and has that many bytes. Returns its list of variables, which ends
 * with NULL and is good as long as room and session's settings are. */
char **environment_fill(void *room, const struct session *session);

#endif
