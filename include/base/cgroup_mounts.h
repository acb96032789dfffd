/* Where this process's own cgroups are: from /proc/self/mountinfo and /proc/self/cgroup. See
 * cgroups(7). */
#ifndef USHERD_BASE_CGROUP_MOUNTS_H
#define USHERD_BASE_CGROUP_MOUNTS_H

#include <limits.h>
#include <stdbool.h>

/* The directory of the own cgroup in the hierarchy of version 2 or, with a controller, in the
 * one of version 1 that has that controller. mounts and cgroups are the texts of the two files.
 * False: it is not mounted, or the own cgroup is outside of what is mounted. */
bool cgroup_mounts_find(const char *mounts, const char *cgroups, const char *controller,
			char path[static PATH_MAX]);

/* The same for this process, now. */
bool cgroup_mounts_own(const char *controller, char path[static PATH_MAX]);

/* True when the words of text, which are separated by blanks or a comma, have word. */
bool cgroup_mounts_lists(const char *text, const char *word);

/* True when this process's cgroup, of either version, knows the controller. */
bool cgroup_mounts_has(const char *controller);

#endif
