#include "base/path_in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
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
