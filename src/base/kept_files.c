#include "base/kept_files.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kept_file {
	UT_hash_handle hh;
	int fd;
	char path[];
};

static struct kept_file *find(const struct kept_file *files, const char *path)
{
	struct kept_file *file;

	HASH_FIND_STR(files, path, file);
	return file;
}

static struct kept_file *file_new(struct kept_file **files, const char *path)
{
	size_t size = strlen(path) + 1;
	struct kept_file *file = calloc(1, sizeof *file + size);

	if (!file)
		return NULL;
	file->fd = -1;
	memcpy(file->path, path, size);
	HASH_ADD_KEYPTR(hh, *files, file->path, size - 1, file);
	if (file->hh.tbl)
		return file;
	free(file);
	return NULL;
}

bool kept_files_add(struct kept_file **files, const char *path, int fd)
{
	struct kept_file *file = find(*files, path);

	if (!file)
		file = file_new(files, path);
	if (!file)
		return false;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	return true;
}

bool kept_files_have(const struct kept_file *files, const char *path)
{
	return find(files, path) != NULL;
}

int kept_files_take(struct kept_file **files, const char *path)
{
	struct kept_file *file = find(*files, path);
	int fd = file ? file->fd : -1;

	if (file)
		HASH_DEL(*files, file);
	free(file);
	return fd;
}

void kept_files_close(struct kept_file **files)
{
	while (*files)
		close(kept_files_take(files, (*files)->path));
}
