#include "monitor/handed_file.h"

#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/path_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct handed_file *file)
{
	close(file->directory);
	file->is_open = false;
	timer_stop(&file->deadline);
}

void handed_file_give_up(struct handed_file *file, int error)
{
	if (!file->is_open)
		return;
	unlinkat(file->directory, file->temporary, 0);
	forget(file);
	file->failed(file, error);
}

static void on_deadline(struct timer *timer)
{
	handed_file_give_up(container_of(timer, struct handed_file, deadline), ETIMEDOUT);
}

static int open_temporary(struct handed_file *file, mode_t mode)
{
	int fd;

	if (unlinkat(file->directory, file->temporary, 0) < 0 && errno != ENOENT)
		return -1;
	fd = openat(file->directory, file->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, mode) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool open_place(struct handed_file *file)
{
	file->directory = path_guard_open_place(file->path, &file->name);
	if (file->directory < 0)
		return false;
	if (snprintf(file->temporary, sizeof file->temporary, "%s.%d", file->name, (int)getpid()) <=
	    NAME_MAX)
		return true;
	close(file->directory);
	errno = ENAMETOOLONG;
	return false;
}

int handed_file_open(struct handed_file *file, const char *path, mode_t mode)
{
	int fd = -1, error;

	if (file->is_open)
		return -1;
	file->ticket++;
	snprintf(file->path, sizeof file->path, "%s", path);
	timer_init(&file->deadline, on_deadline);
	descriptors_open_reserve();
	file->is_open = open_place(file);
	if (file->is_open)
		fd = open_temporary(file, mode);
	error = errno;
	descriptors_close_reserve();
	if (fd >= 0)
		timer_start(&file->deadline, HANDED_FILE_MS);
	else if (file->is_open)
		handed_file_give_up(file, error);
	else
		file->failed(file, error);
	return fd;
}

bool handed_file_finish(struct handed_file *file, uint64_t ticket)
{
	if (!file->is_open || ticket != file->ticket)
		return false;
	if (renameat(file->directory, file->temporary, file->directory, file->name) < 0) {
		handed_file_give_up(file, errno);
		return false;
	}
	forget(file);
	return true;
}
