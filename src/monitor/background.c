#include "monitor/background.h"

#include "monitor/start_program.h"

#include "base/path_guard.h"
#include "base/start_descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ready = -1; /* the pipe to the parent */

/* Both ends included. */
static void close_all(unsigned first, unsigned last)
{
	unsigned end = (unsigned)sysconf(_SC_OPEN_MAX);

	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd < end && fd <= last; fd++)
		close((int)fd);
}

/* Programs get 0, 1 and 2, so these must not become anything else. */
static void fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void background_take_inherited(int first_kept, int kept)
{
	close_all(START_DESCRIPTORS, (unsigned)first_kept - 1);
	close_all((unsigned)(first_kept + kept), UINT_MAX);
	start_descriptors_take(program_slots_end());
	fill_standard();
}

/* In the parent: the byte that the child sends is the exit status. */
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
	/* The low descriptors are reserved for the launcher. */
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
	/* If the parent is gone, nobody needs the status. */
	if (write(ready, &byte, 1) < 0)
		errno = 0;
	close(ready);
	ready = -1;
}

/* --- the pid file ---------------------------------------------------------------------- */

static int pid_file = -1; /* open, and locked, while the daemon runs */

/* The process that has locked the file; -1: one in another container; 0: none. A lock of
 * fcntl(2) ends with its process, even if its children live on. Read locks do not count:
 * anybody who may read the file can take one. */
static pid_t lock_holder(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

static int open_pid_file(int directory, const char *name, int flags)
{
	return openat(directory, name, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
}

pid_t background_pid_holder(const char *path)
{
	const char *name;
	int directory = path ? path_guard_open_place(path, &name) : -1;
	int fd = directory < 0 ? -1 : open_pid_file(directory, name, 0);
	pid_t holder = fd < 0 ? 0 : lock_holder(fd);

	if (fd >= 0)
		close(fd);
	if (directory >= 0)
		close(directory);
	return holder;
}

static int lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &whole);
}

/* Creates the file and locks it. Before that nobody else may open it, and so lock it. */
static int make_pid_file(int directory, const char *name)
{
	int fd = open_pid_file(directory, name, O_CREAT | O_EXCL);
	mode_t mask = umask(0);

	umask(mask);
	if (fd < 0 || (lock(fd) == 0 && fchmod(fd, 0644 & ~mask) == 0))
		return fd;
	close(fd);
	return -1;
}

/* Replaces an old file, unless a process has locked it. The old file stays locked until its
 * name is removed: of two daemons that start at once, one is refused. */
static int take_over(int directory, const char *name)
{
	int old = open_pid_file(directory, name, 0), fd;

	if (old >= 0 && lock(old) < 0 && lock_holder(old) != 0) {
		close(old);
		errno = EAGAIN;
		return -1;
	}
	unlinkat(directory, name, 0);
	fd = make_pid_file(directory, name);
	if (old >= 0)
		close(old);
	return fd;
}

int background_write_pid(const char *path)
{
	char text[16];
	int directory, length = snprintf(text, sizeof text, "%d\n", (int)getpid());
	const char *name;

	if (!path)
		return 0;
	directory = path_guard_open_place(path, &name);
	if (directory < 0)
		return -1;
	pid_file = take_over(directory, name);
	close(directory);
	if (pid_file < 0)
		return -1;
	return write(pid_file, text, (size_t)length) == length ? 0 : -1;
}

void background_remove_pid(const char *path)
{
	struct stat ours, there;
	const char *name;
	int directory;

	if (pid_file < 0)
		return;
	directory = path_guard_open_place(path, &name);
	if (directory >= 0 && fstat(pid_file, &ours) == 0 &&
	    fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		unlinkat(directory, name, 0);
	if (directory >= 0)
		close(directory);
	close(pid_file);
	pid_file = -1;
}
