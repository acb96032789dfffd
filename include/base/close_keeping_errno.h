/* Closing what was opened before something failed. */
#ifndef USHERD_BASE_CLOSE_KEEPING_ERRNO_H
#define USHERD_BASE_CLOSE_KEEPING_ERRNO_H

#include <errno.h>
#include <unistd.h>

/* Closes fd, and leaves errno to tell why. A negative fd is harmless. */
static inline void close_keeping_errno(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
}

#endif
