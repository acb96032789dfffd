/* The cgroups of sessions, see cgroups(7): in the daemon's directory of version 2
 * (cgroup_hierarchies.h) one for each session, named by a number of its own.
 *
 * Making and removing one takes the kernel long. So one that the processes of its session could
 * neither change nor leave is kept for a while, with the name that it has, for another session of
 * the same service and the same source, with the same limits and priority. Another source gets
 * another one: memory that is charged later, for an object that a session has handed to somebody
 * outside, counts there.
 *
 * Limits come from version 2 too, where its own cgroup has the controllers. Otherwise they come
 * from version 1, with the same directories in the hierarchies of the controllers.
 *
 * Loop thread only, unless a function says that it is for a worker. */
#ifndef USHERD_MONITOR_CGROUPS_H
#define USHERD_MONITOR_CGROUPS_H

#include "base/address.h"
#include "config/settings.h"
#include "monitor/cgroup_hierarchies.h"

#include <stdbool.h>
#include <stdint.h>

struct cgroup;

/* Gets ready what the service needs, if no earlier one did. Returns NULL when its limits can be
 * kept; otherwise the attribute that can't, and *reason. Without CGROUP_TREE nothing is lost but
 * certainty: see monitor/session_tree.h. */
const char *cgroups_prepare(const struct service_settings *service, const char **reason);

/* True when sessions get a cgroup of version 2. */
bool cgroups_are_there(void);

/* --- one session's ------------------------------------------------------------------------ */

/* For a session of the service, for that client. NULL with errno 0: it needs none, or none can be
 * had; with ENOMEM: memory is short. */
struct cgroup *cgroup_new(const struct service_settings *service, const struct address *client);

/* How a new process gets in. Descriptors; -1: none. */
struct cgroup_entrance {
	int directory;           /* for CLONE_INTO_CGROUP */
	int procs[CGROUP_KINDS]; /* it writes "0" there itself, while it has one thread */
};

#define NO_CGROUP_ENTRANCE ((struct cgroup_entrance){ -1, { -1, -1, -1, -1 } })

/* A worker's: makes the directories, sets the limits, opens the entrance. What is there already
 * is used; of one that was kept only the processor time is given back that was used up. 0, or -1
 * with errno. */
int cgroup_make(struct cgroup *cgroup, struct cgroup_entrance *entrance)
	__attribute__((warn_unused_result));

/* A worker's: the kernel has no CLONE_INTO_CGROUP, so processes must write "0" there too. 0, or
 * -1 with errno. */
int cgroup_enter_by_writing(struct cgroup *cgroup, struct cgroup_entrance *entrance)
	__attribute__((warn_unused_result));

/* A worker's: closes it. */
void cgroup_entrance_close(struct cgroup_entrance *entrance);

/* True when it tells which processes are in it: it is one of version 2. */
bool cgroup_has_tree(const struct cgroup *cgroup);

/* Sends the signal to all processes in it. SIGKILL lets none escape. Only with cgroup_has_tree.
 * True when that process is known to have got it. */
bool cgroup_signal(struct cgroup *cgroup, int number, pid_t process);

struct cgroup_events {
	/* No process is left in it, and its directories are removed or kept. memory_kills: how many
	 * processes of the session the kernel killed as the memory was used up. */
	void (*gone)(void *context, unsigned long memory_kills);
	/* Once, when there are processes left. */
	void (*remains)(void *context);
};

/* Removes it when the last process has left it, or keeps it. One of the events follows, not before
 * this returns. To be called once. */
void cgroup_remove_when_empty(struct cgroup *cgroup, const struct cgroup_events *events,
			      void *context);

/* The caller needs it no more. It is removed or kept when it is empty. NULL is harmless. */
void cgroup_release(struct cgroup *cgroup);

#endif
