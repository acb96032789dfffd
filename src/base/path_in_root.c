#include "base/path_in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ATTEMPTS = 16 };

int path_in_root_open(int root, const char *path, int flags, enum path_links links)
{
	struct open_how how = {
		.flags = (unsigned long long)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
			   (links == PATH_NO_LINKS ? RESOLVE_NO_SYMLINKS : 0),
	};

	int fd = -1;

	errno = EAGAIN; /* something was renamed while the kernel went over ".." */
	for (int i = 0; i < ATTEMPTS && fd < 0 && errno == EAGAIN; i++)
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
	return fd;
}

static int close_keeping_errno(int fd, int result)
{
	int error = errno;

	close(fd);
	errno = error;
	return result;
}

/* The kernel names what a descriptor leads to. */
static int find_name(int fd, char real[static PATH_MAX])
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, real, PATH_MAX - 1);
	if (length < 0)
		return -1;
	real[length] = '\0';
	return 0;
}

int path_in_root_find(const char *root, const char *path, char real[static PATH_MAX])
{
	int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (directory < 0)
		return -1;
	fd = path_in_root_open(directory, path, O_PATH, PATH_FOLLOW_LINKS);
	close_keeping_errno(directory, fd);
	return fd < 0 ? -1 : close_keeping_errno(fd, find_name(fd, real));
}

/* At the next name, or at the end. */
static const char *next_name(const char *path)
{
	for (;;) {
		path += strspn(path, "/");
		if (path[0] != '.' || (path[1] && path[1] != '/'))
			return path;
		path++;
	}
}

const char *path_below(const char *directory, const char *path)
{
	for (;;) {
		size_t length;

		directory = next_name(directory);
		if (!*directory)
			return *next_name(path) ? path : "";
		path = next_name(path);
		length = strcspn(directory, "/");
		if (strcspn(path, "/") != length || strncmp(directory, path, length) != 0)
			return NULL;
		directory += length;
		path += length;
	}
}

/* --- who could move it ------------------------------------------------------------------------ */

static bool is_writable(const struct path_user *user, const char *path)
{
	for (size_t i = 0; i < user->count; i++)
		if (path_below(user->writable[i], path))
			return true;
	return user->all_are_writable;
}

static bool find_status(int root, const char *path, struct stat *status)
{
	int fd = path_in_root_open(root, path, O_PATH, PATH_FOLLOW_LINKS);
	bool found = fd >= 0 && fstat(fd, status) == 0;

	if (fd >= 0)
		close(fd);
	return found;
}

static bool is_in_group(const struct path_user *user, gid_t gid)
{
	return user->has_groups || user->gid == gid;
}

static bool may_write(const struct path_user *user, const struct stat *status)
{
	return user->uid == 0 || user->is_mighty || status->st_uid == user->uid ||
	       (status->st_mode & S_IWOTH) ||
	       ((status->st_mode & S_IWGRP) && is_in_group(user, status->st_gid));
}

/* In a sticky directory only the owner of a file, or of the directory, may. */
static bool may_rename(const struct path_user *user, const struct stat *directory,
		       const struct stat *name)
{
	bool is_protected = (directory->st_mode & S_ISVTX) && user->uid != 0 && !user->is_mighty &&
			    directory->st_uid != user->uid && name->st_uid != user->uid;

	return may_write(user, directory) && !is_protected;
}

bool path_in_root_can_move(const struct path_user *user, int root, const char *path,
			   char where[static PATH_MAX])
{
	char name[PATH_MAX];
	struct stat directory, below;
	size_t length = strlen(path);

	if (length >= PATH_MAX || !find_status(root, "/", &directory))
		return false;
	strcpy(where, "/");
	for (const char *next = next_name(path);;) {
		const char *end = next + strcspn(next, "/");

		if (!*next_name(end)) /* the last one */
			return false;
		memcpy(name, path, (size_t)(end - path));
		name[end - path] = '\0';
		if (!find_status(root, name, &below))
			return is_writable(user, where) && may_write(user, &directory);
		if (is_writable(user, where) && may_rename(user, &directory, &below))
			return true;
		strcpy(where, name);
		directory = below;
		next = next_name(end);
	}
}
