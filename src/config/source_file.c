#include "config/source_file.h"

#include "config/bounds.h"
#include "config/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const char source_file_foreign[] = "is not owned by root; its owner can run programs as root";

/* /dev/null is allowed as an empty file: -inetd_compat -f /dev/null. */
static bool is_null_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/* Why the file must not be read; NULL: it may. */
static const char *unfitness(const struct stat *status)
{
	if (is_null_device(status))
		return NULL;
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_size > CONFIG_SIZE_MAX)
		return "is too large for a configuration file";
	return NULL;
}

/* Why there is no descriptor; valid until the next call. */
static const char *refusal_of_open(const char *fault)
{
	static char text[TRUST_TEXT_SIZE];
	int error = errno;

	snprintf(text, sizeof text, "%s", *fault ? fault : strerror(error));
	return text;
}

/* Opens path if it may be read, and keeps how others can change it; -1, with
 * *wrong saying why, otherwise. */
static int open_fit(struct source_file *file, const char *path, struct trust *trust,
		    struct stat *status, const char **wrong)
{
	char fault[TRUST_TEXT_SIZE];
	int fd = trust_open(trust, path, 0, fault);

	if (fd < 0 || fstat(fd, status) < 0)
		*wrong = refusal_of_open(fault);
	else
		*wrong = unfitness(status);
	if (!*wrong && *fault && !(file->fault = strdup(fault)))
		*wrong = strerror(ENOMEM);
	if (!*wrong)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Reads at most one byte more than size, even if the file grows in the meantime. Why it is
 * not read as a whole; NULL: it is. */
static const char *read_text(struct source_file *file, int fd, size_t size)
{
	ssize_t got;

	file->length = 0;
	file->text = malloc(size + 1);
	if (!file->text)
		return strerror(ENOMEM);
	do { /* a file that has just size bytes ends there */
		got = read(fd, file->text + file->length, size + 1 - file->length);
		if (got > 0)
			file->length += (size_t)got;
	} while (got > 0 && file->length < size);
	if (got < 0)
		return strerror(errno);
	return file->length == size ? NULL : "changes while it is read, or has no certain size";
}

int source_file_read(struct source_file *file, const char *path, struct trust *trust,
		     const char **wrong)
{
	struct stat status;
	int fd;

	*file = (struct source_file){ .name = file_name_keep(path) };
	fd = open_fit(file, path, trust, &status, wrong);
	if (fd < 0)
		return -1;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->changed = status.st_ctim;
	file->is_foreign = status.st_uid != 0 && trust_is_enforced();
	*wrong = file->name ? read_text(file, fd, (size_t)status.st_size) : strerror(ENOMEM);
	close(fd);
	if (!*wrong)
		return 0;
	source_file_clear(file);
	return -1;
}

void source_file_clear(struct source_file *file)
{
	free(file->text);
	free(file->fault);
	*file = (struct source_file){ 0 };
}
