/* What the launcher, its workers and a child know of one program that is being started. */
#ifndef USHERD_MONITOR_PROGRAM_ORDER_H
#define USHERD_MONITOR_PROGRAM_ORDER_H

#include "config/settings.h"
#include "monitor/cgroups.h"
#include "monitor/jail_plan.h"
#include "monitor/terminal.h"

#include <stdbool.h>
#include <sys/types.h>

struct jail;

/* What to start, and the result. The caller owns everything in it. */
struct program_order {
	const struct service_settings *settings;
	const char *program;
	char *const *argv;
	char **environment;
	int connection;        /* becomes descriptors 0, 1 and 2, or the terminal does */
	int error;             /* becomes descriptor 2 when it is not -1 */
	struct cgroup *cgroup; /* that it is to be in; NULL: none of its own */
	bool has_terminal;     /* start_program makes one, in place of the connection ... */

	struct terminal terminal; /* ... whose master is here once the program runs */

	struct jail *jail;                 /* a reference; NULL: none */
	const struct jail_plan *jail_plan; /* its plan */
	const char *directory;             /* its working directory; NULL: the daemon's */
	int network;                       /* its number in network_pool.h; -1: none */

	pid_t pid;               /* the kernel writes it before the child runs at all */
	const char *step;        /* the current one; see program_step */
	const char *failed_step; /* NULL: the program runs */
	int failure;             /* errno of that step */
	bool no_process;         /* the failure: no process could be created */

	/* Only for the workers. */
	char *label; /* LABELED: its SELinux context */
	gid_t *groups;
	size_t group_count;
	struct cgroup_entrance entrance;
	bool has_own_memory;
	bool inherits_filter, is_bounded; /* see filter_threads.h */
	bool has_locked_connection;
	bool forbids_connecting; /* as its connection can't be locked */
	int template;            /* the jail's; -1: it makes its mounts itself */
	int slot;
};

enum { PROGRAM_SLOTS_MAX = 12, PROGRAM_SLOTS_FIRST = 3, PROGRAM_SLOT_SIZE = 4 };

/* The descriptors that are reserved in a slot: for the connection or the terminal, for standard
 * error, and for namespaces of a jail. */
static inline int program_slot_connection(int slot)
{
	return PROGRAM_SLOTS_FIRST + PROGRAM_SLOT_SIZE * slot;
}

static inline int program_slot_error(int slot)
{
	return program_slot_connection(slot) + 1;
}

static inline int program_slot_mounts(int slot)
{
	return program_slot_connection(slot) + 2;
}

static inline int program_slot_network(int slot)
{
	return program_slot_connection(slot) + 3;
}

/* The first one after it. */
static inline int program_slot_end(int slot)
{
	return program_slot_connection(slot) + PROGRAM_SLOT_SIZE;
}

#endif
