#include "base/log_file.h"

#include "base/path_guard.h"
#include "base/start_descriptors.h"

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

static int open_start_descriptor(int number)
{
	int fd = start_descriptor_open(number);

	if (fd >= 0)
		return fd;
	if (number >= START_DESCRIPTORS)
		return refuse(fd, "only the descriptors 0 to 9 are kept for logs");
	return refuse(fd, errno == EBADF ? "the descriptor was closed when the daemon had started; "
					   "restart the daemon to log there"
					 : strerror(errno));
}

/* What process 1 has open under that number. The link is the kernel's, so nobody can have
 * planted it. A socket can't be opened. */
static int open_of_init(const char *path, int flags)
{
	int fd = open(path, flags & ~O_CREAT);

	return fd >= 0 ? fd
		       : refuse(fd, errno == EACCES || errno == ENXIO
					    ? "it can't be opened; /dev/stdout and /dev/stderr are "
					      "what the daemon was started with"
					    : strerror(errno));
}

/* Non-blocking because of named pipes: one without a reader is an error here, and a full
 * one is an error later. */
int log_file_open(const char *path)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int number = start_descriptor_named(path), fd;

	if (number != NO_DESCRIPTOR)
		return open_start_descriptor(number);
	if (start_descriptor_is_of_init(path))
		return open_of_init(path, flags);
	if (geteuid() == 0)
		return open_as_root(path, flags);
	fd = open(path, flags, 0644);
	return fd < 0 ? refuse(fd, strerror(errno)) : fd;
}
