#include "monitor/report_file.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/path_guard.h"
#include "base/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_FILE "/var/run/xinetd.dump" /* where xinetd's users look for it */

static char path[PATH_MAX];
static int directory = -1; /* the file's; -1: no report is being written */
static const char *name;   /* of the file, in directory */
static char temporary[NAME_MAX + 1];
static struct timer deadline;

static int fail(int error)
{
	log_failure(error, "can't write the state dump to %s", path);
	return -1;
}

static void forget(void)
{
	close(directory);
	directory = -1;
	timer_stop(&deadline);
}

static void give_up(int error)
{
	if (directory < 0)
		return;
	unlinkat(directory, temporary, 0);
	forget();
	fail(error);
}

static void on_deadline(struct timer *timer)
{
	(void)timer;
	give_up(ETIMEDOUT);
}

static int open_temporary(mode_t mode)
{
	int fd;

	if (unlinkat(directory, temporary, 0) < 0 && errno != ENOENT)
		return -1;
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0 || fchmod(fd, mode) == 0)
		return fd;
	close(fd);
	return -1;
}

static int open_beside(const struct daemon_settings *daemon)
{
	int fd;

	descriptors_open_reserve();
	directory = path_guard_open_place(path, &name);
	if (directory >= 0 &&
	    snprintf(temporary, sizeof temporary, "%s.%d", name, (int)getpid()) > NAME_MAX) {
		close(directory);
		directory = -1;
		errno = ENAMETOOLONG;
	}
	fd = directory < 0 ? -1 : open_temporary(daemon->status_mode);
	descriptors_close_reserve();
	return fd;
}

int report_file_open(const struct daemon_settings *daemon)
{
	int fd;

	if (directory >= 0)
		return -1;
	snprintf(path, sizeof path, "%s", daemon->status_file ? daemon->status_file : STATUS_FILE);
	timer_init(&deadline, on_deadline);
	fd = open_beside(daemon);
	if (fd >= 0) {
		timer_start(&deadline, REPORT_DEADLINE_MS);
		return fd;
	}
	if (directory >= 0)
		give_up(errno);
	else
		fail(errno);
	return -1;
}

void report_file_finish(void)
{
	if (directory < 0)
		return;
	if (renameat(directory, temporary, directory, name) < 0) {
		give_up(errno);
		return;
	}
	log_info("generated state dump in file %s", path);
	forget();
}

void report_file_give_up(void)
{
	give_up(ECONNRESET);
}
