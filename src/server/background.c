#include "server/background.h"

#include "handlers/start_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ready = -1; /* the pipe to the parent */

void background_close_inherited(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, 0) == 0)
		return;
	for (fd = (int)sysconf(_SC_OPEN_MAX) - 1; fd > STDERR_FILENO; fd--)
		close(fd);
}

/* In the parent: the child's word is its exit status. */
static void wait_for_word(int from)
{
	unsigned char status;

	if (read(from, &status, 1) != 1) {
		status = EXIT_FAILURE;
		fputs("usherd: the daemon ended before it was ready\n", stderr);
	}
	_exit(status);
}

int background_begin(void)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0 || (child = fork()) < 0)
		return -1;
	if (child > 0) {
		close(ends[1]);
		wait_for_word(ends[0]);
	}
	close(ends[0]);
	/* Out of the way of the launcher's low descriptors. */
	ready = fcntl(ends[1], F_DUPFD_CLOEXEC, program_slots_end());
	if (ready < 0)
		return -1;
	close(ends[1]);
	return setsid() < 0 ? -1 : 0;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
}

void background_tell_ready(int status)
{
	unsigned char byte = (unsigned char)status;

	if (ready < 0)
		return;
	leave_terminal();
	/* A parent that is gone has nobody to tell. */
	if (write(ready, &byte, 1) < 0)
		errno = 0;
	close(ready);
	ready = -1;
}

int background_write_pid(const char *path)
{
	char text[16];
	int fd, length = snprintf(text, sizeof text, "%d\n", (int)getpid());
	ssize_t written;

	if (!path)
		return 0;
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -1;
	written = write(fd, text, (size_t)length);
	return close(fd) == 0 && written == length ? 0 : -1;
}

void background_remove_pid(const char *path)
{
	if (path)
		unlink(path);
}
