/* The hierarchies of cgroups(7), and the daemon's own directory in each, "usherd-PID" in the
 * daemon's own cgroup. Sessions are in it. Where version 2 gives them controllers, the daemon
 * itself moves to "usherd-PID.daemon". It holds both with flock(2), so that the next daemon knows
 * what a dead one left, and removes that. Loop thread only. */
#ifndef USHERD_MONITOR_CGROUP_HIERARCHIES_H
#define USHERD_MONITOR_CGROUP_HIERARCHIES_H

#include <limits.h>
#include <stdbool.h>

/* CGROUP_TREE is version 2, which tells and ends all processes of a session; the others are
 * controllers. */
enum cgroup_kind { CGROUP_TREE, CGROUP_MEMORY, CGROUP_PROCESSES, CGROUP_CPU, CGROUP_KINDS };

/* One hierarchy, or one controller of version 2. */
struct cgroup_hierarchy {
	const char *controller, *attribute;
	bool is_v2;
	int directory; /* the daemon's own; -1: none. Those of version 2 share CGROUP_TREE's */
	char path[PATH_MAX];
	const char *reason; /* why there is none */
};

/* Makes the daemon's directory, if it is not there. False: there is none. One that failed is tried
 * again: the machine may have changed. */
bool cgroup_hierarchy_open(enum cgroup_kind kind);

const struct cgroup_hierarchy *cgroup_hierarchy(enum cgroup_kind kind);

/* Removes the daemon's directories, as far as no process is left in them. */
void cgroup_hierarchies_close(void);

#endif
