#include "config/source_file.h"

#include "config/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const char source_file_foreign[] = "is not owned by root; its owner can run programs as root";

/* /dev/null is the file that says nothing: -inetd_compat -f /dev/null. */
static bool is_null_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/* Why the file is not to be read; NULL: it is. */
static const char *unfitness(const struct stat *status)
{
	if (is_null_device(status))
		return NULL;
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_size > CONFIG_SIZE_MOST)
		return "is too large for a configuration file";
	if (geteuid() == 0 && (status->st_mode & S_IWOTH))
		return "is writable by everybody, so anybody could run programs as root; not read "
		       "(chmod o-w)";
	return NULL;
}

/* Opens path if it may be read; -1, with *wrong saying why, otherwise. */
static int open_fit(const char *path, struct stat *status, const char **wrong)
{
	/* A FIFO or a terminal must not hold up or take over whoever opens it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, status) < 0)
		*wrong = strerror(errno);
	else
		*wrong = unfitness(status);
	if (!*wrong)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Reads at most size bytes: a file that grows meanwhile is read as it was. */
static int read_text(struct source_file *file, int fd, size_t size)
{
	ssize_t got = 1;

	file->length = 0;
	file->text = malloc(size + 1);
	if (!file->text)
		return -1;
	while (file->length < size && got > 0) {
		got = read(fd, file->text + file->length, size - file->length);
		if (got > 0)
			file->length += (size_t)got;
	}
	return got < 0 ? -1 : 0;
}

int source_file_read(struct source_file *file, const char *path, const char **wrong)
{
	struct stat status;
	int fd = open_fit(path, &status, wrong);

	*file = (struct source_file){ .name = file_name_keep(path) };
	if (fd < 0)
		return -1;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->is_foreign = geteuid() == 0 && status.st_uid != 0;
	if (!file->name || read_text(file, fd, (size_t)status.st_size) < 0)
		*wrong = strerror(errno);
	close(fd);
	if (!*wrong)
		return 0;
	source_file_clear(file);
	return -1;
}

void source_file_clear(struct source_file *file)
{
	free(file->text);
	*file = (struct source_file){ 0 };
}
