#include "base/user_file.h"

#include "base/path_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* setgroups(2) for this thread only: the C library's function changes all threads. */
static int set_groups(int count, const gid_t *groups)
{
	return (int)syscall(SYS_setgroups, count, groups);
}

/* setfsuid(2) and setfsgid(2) return only the previous value. */
static int take_rights(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	if ((gid_t)setfsgid((gid_t)-1) == gid && (uid_t)setfsuid((uid_t)-1) == uid)
		return 0;
	errno = EPERM;
	return -1;
}

static int open_with_rights(const char *path, uid_t uid, gid_t gid)
{
	int fd = -1, error;

	if (take_rights(uid, gid) == 0)
		fd = open(path, FLAGS);
	error = errno;
	if (take_rights(geteuid(), getegid()) < 0)
		abort(); /* the thread must not go on with another user's rights */
	errno = error;
	return fd;
}

/* Without supplementary groups: neither the user's nor root's may be used. */
static int open_without_groups(const char *path, uid_t uid, gid_t gid)
{
	int count = getgroups(0, NULL), fd = -1, error;
	gid_t *groups = count < 0 ? NULL : malloc((size_t)(count + 1) * sizeof *groups);

	if (groups && getgroups(count, groups) == count && set_groups(0, NULL) == 0) {
		fd = open_with_rights(path, uid, gid);
		error = errno;
		if (set_groups(count, groups) < 0)
			abort();
		errno = error;
	}
	free(groups);
	return fd;
}

int user_file_open(const char *path, uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return open(path, FLAGS);
	return uid == 0 ? path_guard_open_for_root(path, FLAGS, 0)
			: open_without_groups(path, uid, gid);
}
