#include "base/log_file.h"

#include "base/path_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char open_error[GUARD_TEXT_SIZE + PATH_MAX];

const char *log_file_error(void)
{
	return open_error;
}

void log_file_say(const char *reason)
{
	snprintf(open_error, sizeof open_error, "%s", reason);
}

/* Sets the reason why a file can't be used, and closes it. */
static int refuse(int fd, const char *reason)
{
	int error = errno;

	log_file_say(reason);
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

/* Opens the file as root, without following links of others. */
static int open_as_root(const char *path, int flags)
{
	struct path_guard guard = { .trusted = 0 };
	int fd = path_guard_open(&guard, path, flags, 0644);
	char fault[GUARD_TEXT_SIZE], reason[sizeof open_error];

	if (fd >= 0 && !guard.may_be_planted)
		return fd;
	if (fd < 0 && !guard.refused_link)
		return refuse(fd, strerror(errno));
	snprintf(
		reason, sizeof reason, "%s: %s", path_guard_fault(&guard, fault),
		fd < 0 ? "a link there is not followed"
		       : "a file there that is not regular, or has a second name, is not written to");
	errno = EPERM;
	return refuse(fd, reason);
}

/* Non-blocking because of named pipes: one without a reader is an error here, and a full
 * one is an error later. */
int log_file_open(const char *path)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd;

	if (geteuid() == 0)
		return open_as_root(path, flags);
	fd = open(path, flags, 0644);
	return fd < 0 ? refuse(fd, strerror(errno)) : fd;
}
