#include "frontend/log_files.h"

#include "base/kept_files.h"
#include "base/log_file.h"

#include <errno.h>
#include <unistd.h>

static struct kept_file *files;

void log_files_add(const char *path, int fd)
{
	if (!kept_files_add(&files, path, fd))
		close(fd);
}

int log_files_take(const char *path)
{
	int fd = kept_files_take(&files, path);

	if (fd >= 0)
		return fd;
	log_file_say("it could not be opened");
	errno = EALREADY;
	return -1;
}
