/* The part of a launch that is done on a worker: from a prepared order to a
 * running program. Touches nothing but its order. */
#ifndef USHERD_HANDLERS_START_PROGRAM_H
#define USHERD_HANDLERS_START_PROGRAM_H

#include "config/settings.h"

#include <sys/types.h>

/* What to start, and what came of it. Everything in it stays the caller's. */
struct program_order {
	const struct service_settings *settings;
	char **environment;
	int connection;  /* becomes descriptors 0, 1 and 2 */
	int error;       /* becomes descriptor 2 when it is not -1 */

	pid_t pid;               /* the kernel writes it before the child runs at all */
	const char *failed_step; /* NULL: the program runs */
	int failure;             /* errno of that step */

	/* The worker's own while it starts the program. */
	const char *label; /* LABELED: its SELinux context */
	const gid_t *groups;
	size_t group_count;
	int slot;
};

enum { PROGRAM_SLOTS = 8 }; /* how many can be started at the same time */

/* Reserves the descriptors launches go through; see launch_init. */
int start_program_init(void) __attribute__((warn_unused_result));

/* Starts the program. At most PROGRAM_SLOTS threads may be in here. */
void start_program(struct program_order *order);

#endif
