#include "frontend/log_files.h"

#include "base/hash.h"
#include "base/log_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sent_file {
	UT_hash_handle hh;
	int fd;
	char path[];
};

static struct sent_file *files;

static struct sent_file *find(const char *path)
{
	struct sent_file *file;

	HASH_FIND_STR(files, path, file);
	return file;
}

static struct sent_file *file_new(const char *path)
{
	size_t size = strlen(path) + 1;
	struct sent_file *file = calloc(1, sizeof *file + size);

	if (!file)
		return NULL;
	memcpy(file->path, path, size);
	file->fd = -1;
	HASH_ADD_KEYPTR(hh, files, file->path, size - 1, file);
	if (file->hh.tbl)
		return file;
	free(file);
	return NULL;
}

void log_files_add(const char *path, int fd)
{
	struct sent_file *file = find(path);

	if (!file)
		file = file_new(path);
	if (!file) {
		close(fd);
		return;
	}
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
}

int log_files_take(const char *path)
{
	struct sent_file *file = find(path);
	int fd = file ? file->fd : -1;

	if (file) {
		HASH_DEL(files, file);
		free(file);
		return fd;
	}
	log_file_say("it could not be opened");
	errno = EALREADY;
	return -1;
}
