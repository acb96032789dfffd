/* Makes the namespaces and mounts of a session, in the child that becomes its program. Only
 * system calls. They need openat2(2), open_tree(2) and mount_setattr(2), so Linux 5.12.
 *
 * Two ways lead to the same result. Copying a prepared namespace of mounts is much faster than
 * making all mounts anew, so with root's privileges the mounts that are the same for all
 * sessions are made once, in a template. Without them each session makes everything.
 *
 * Nothing is mounted where a link leads. The user of a service may write to some directories of
 * its root, and could have replaced one by a link. Each place is opened with RESOLVE_IN_ROOT and
 * RESOLVE_NO_SYMLINKS, and what is mounted goes on what was opened. On the path to the root
 * itself root follows no link that others could have laid, see base/path_guard.h.
 *
 * All mounts are private: nothing that is mounted on the host later reaches a session, or the
 * reverse. */
#ifndef USHERD_MONITOR_JAIL_MOUNTS_H
#define USHERD_MONITOR_JAIL_MOUNTS_H

#include "monitor/jail_plan.h"

/* In a user namespace that clone(2) made: the own user and group, and no others. 0, or -1 with
 * errno. */
int jail_map_identity(const struct jail_plan *plan) __attribute__((warn_unused_result));

/* Enters the network namespace without interfaces that is open there; -1: a new one. */
int jail_enter_network(int network) __attribute__((warn_unused_result));

/* Makes this process's own mounts those of a template. 0, or -1 with errno and report; EXDEV: the
 * daemon's root is not that of its namespace, so a session that enters it would be elsewhere. */
int jail_make_template(const struct jail_plan *plan, struct jail_report *report)
	__attribute__((warn_unused_result));

/* Gives this process the namespaces and mounts of a session: from the namespace of mounts that
 * is open at template, or from nothing: with template -1, or when root is not the directory any
 * more that is in it. The working directory is then "/". name becomes the host name. 0, or -1 with
 * errno and report. */
int jail_enter(const struct jail_plan *plan, int template, const char *name,
	       struct jail_report *report) __attribute__((warn_unused_result));

#endif
