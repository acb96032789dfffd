/* A program besides those that serve sessions, for launcher_run: in the same way, with the
 * same identity, limits and turns as its service's programs. Embedded in its owner. */
#ifndef USHERD_MONITOR_LAUNCH_TASK_H
#define USHERD_MONITOR_LAUNCH_TASK_H

#include "config/settings.h"

#include <stdint.h>
#include <sys/types.h>

struct launch_task {
	struct service_settings *settings;
	const char *program;
	char *const *argv;
	char **environment;
	uint32_t service;    /* number in the generation in force, for turns; ... */
	struct address peer; /* ... and the source */

	/* It runs, or has run; ended follows at once if it has ended already. 0, or -1 with errno:
	 * then it is killed, and failed follows. */
	int (*started)(struct launch_task *task, pid_t pid);
	void (*ended)(struct launch_task *task, int status);
	/* It can't be started, and nothing else is called. */
	void (*failed)(struct launch_task *task, const char *step, const char *reason);
};

#endif
