/* Removes from a process what the frontend never needs: root's identity, capabilities,
 * new privileges by an exec, dangerous system calls and, where the kernel has Landlock,
 * writing to the file system. It cannot be undone. From then on the process is killed when
 * the thread that started it ends. */
#ifndef USHERD_FRONTEND_FENCE_H
#define USHERD_FRONTEND_FENCE_H

#include <stdbool.h>
#include <sys/types.h>

/* The user of the fenced process. */
struct fence_user {
	uid_t uid;
	gid_t gid;
};

/* Fences the calling process, which must have only one thread. With user NULL it keeps its
 * identity: for a daemon that was not started by root. Open descriptors stay open, those
 * for writing too.
 * Returns 0; or -1 with errno and the failed step in *step: the process must exit. A
 * kernel without Landlock is no failure; see fence_has_landlock. */
int fence_enter(const struct fence_user *user, const char **step)
	__attribute__((warn_unused_result));

/* True when the kernel has Landlock (Linux 5.13, and not disabled). For tests. */
bool fence_has_landlock(void);

#endif
