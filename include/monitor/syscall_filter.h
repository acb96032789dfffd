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

/* The same in two parts, both of which a program must have. The first one allows more calls: those
 * that starting a program needs, in jails too. The second one is short, and forbids what of these
 * is not in the list. Where that can't be, as the list lacks calls of the default, both are empty.
 * The caller frees their lists. 0, or -1 with errno. */
int syscall_filter_make_inherited(const struct strings *words, struct call_filter *filter)
	__attribute__((warn_unused_result));
int syscall_filter_make_rest(const struct strings *words, struct call_filter *filter)
	__attribute__((warn_unused_result));

/* What an old Landlock can't forbid: to truncate files without opening them for writing. Other
 * calls are allowed. As above. */
int syscall_filter_make_for_files(struct call_filter *filter) __attribute__((warn_unused_result));

/* In a child, with no_new_privs: loads it. 0, or -1 with errno. */
int syscall_filter_load(const struct call_filter *filter);

#endif
