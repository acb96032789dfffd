/* The environment of a program: the variables of its service's settings, those about its
 * connection, and those about its session. */
#ifndef USHERD_MONITOR_ENVIRONMENT_H
#define USHERD_MONITOR_ENVIRONMENT_H

#include "base/session_id.h"
#include "config/settings.h"
#include "session/end_reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program may be told about its session, and its end_command about that program. */
struct session_facts {
	struct session_id id;
	bool has_slot;
	unsigned slot;

	bool has_ended; /* the rest is known */
	int status;     /* as of waitpid(2) */
	enum end_reason reason;
	uint64_t seconds;
};

/* How many bytes the environment of a program of these settings needs, with the facts about
 * its session or without. */
size_t environment_size(const struct service_settings *settings, bool has_facts);

/* Writes the environment of a program that serves peer on a socket with the address
 * local into room, which is aligned for pointers and has that many bytes. facts NULL: none.
 * Returns the list of variables, NULL-ended and valid as long as room and settings. */
char **environment_fill(void *room, const struct service_settings *settings,
			const struct address *peer, const struct address *local,
			const struct session_facts *facts);

#endif
