/* clone(2), also into a cgroup. */
#ifndef USHERD_MONITOR_CLONE_PROCESS_H
#define USHERD_MONITOR_CLONE_PROCESS_H

#include <sys/types.h>

struct clone_order {
	int (*run)(void *argument); /* what the child does; it must not return */
	void *argument;
	unsigned char *stack; /* its lowest byte */
	size_t stack_size;
	int flags;  /* of clone(2), with the signal at the child's end */
	pid_t *pid; /* with CLONE_PARENT_SETTID: set before the child runs */
};

/* The process id, or -1 with errno. */
long clone_process(const struct clone_order *order);

/* The same in the cgroup of version 2 whose directory is open. ENOSYS: not on this kind of
 * machine. */
long clone_process_into(const struct clone_order *order, int cgroup);

#endif
