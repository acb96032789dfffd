/* Filters of system calls, for seccomp(2). The names and numbers are libseccomp's. They hold for
 * the programs of this machine and of its 32-bit kind; other programs are killed. */
#ifndef USHERD_MONITOR_SYSCALL_FILTER_H
#define USHERD_MONITOR_SYSCALL_FILTER_H

#include "config/settings.h"

/* The reason why the kernel takes no filter, with the remedy; NULL: it does. */
const char *syscall_filter_obstacle(void);

/* The allow list of `syscalls`, whose words must be right. Calls that are not in it fail with
 * EPERM; those that are newer than this libseccomp, and clone3, with ENOSYS, so that the C
 * library does without. The caller frees filter->list. 0, or -1 with errno. */
int syscall_filter_make(const struct strings *words, struct call_filter *filter)
	__attribute__((warn_unused_result));

/* What an old Landlock can't forbid: to truncate files without opening them for writing. Other
 * calls are allowed. As above. */
int syscall_filter_make_for_files(struct call_filter *filter) __attribute__((warn_unused_result));

/* In a child, with no_new_privs: loads it. 0, or -1 with errno. */
int syscall_filter_load(const struct call_filter *filter);

#endif
