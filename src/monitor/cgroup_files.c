#include "monitor/cgroup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 }; /* of cgroups that programs make in their own */

int cgroup_file_write(int directory, const char *name, const char *text)
{
	int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);
	ssize_t written;
	int error;

	if (fd < 0)
		return -1;
	written = write(fd, text, length);
	error = errno;
	close(fd);
	errno = error;
	return written == (ssize_t)length ? 0 : -1;
}

bool cgroup_file_read(int directory, const char *name, char *text, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (length < 0)
		return false;
	text[length] = '\0';
	return true;
}

int cgroup_each_process(int directory, const char *name, void (*visit)(pid_t pid, void *context),
			void *context)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC), count = 0, pid;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (; fscanf(file, "%d", &pid) == 1; count++)
		if (pid > 0)
			visit(pid, context);
	fclose(file);
	return count;
}

static int remove_to_depth(int parent, const char *name, int depth)
{
	struct dirent *entry;
	DIR *directory;
	int fd;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY || depth == 0)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_to_depth(fd, entry->d_name, depth - 1);
	closedir(directory);
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

int cgroup_remove(int parent, const char *name)
{
	return remove_to_depth(parent, name, DEPTH_MAX);
}
