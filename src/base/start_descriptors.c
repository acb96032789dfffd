#include "base/start_descriptors.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a descriptor of the start is now. */
struct place {
	int fd; /* -1: it is closed */
	bool is_copy, was_opened, was_closed;
};

static struct place places[START_DESCRIPTORS];
static bool are_taken;
static int first_free;

/* --- names ------------------------------------------------------------------------------- */

static const char init_prefix[] = "/proc/1/fd/";

/* The number after prefix, or NO_DESCRIPTOR. */
static int number_after(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);
	const char *digits = path + length;
	long number;

	if (strncmp(path, prefix, length) != 0 || !isdigit((unsigned char)*digits) ||
	    strspn(digits, "0123456789") != strlen(digits))
		return NO_DESCRIPTOR;
	number = strtol(digits, NULL, 10);
	return number > INT_MAX ? INT_MAX : (int)number;
}

/* Where descriptor number is; -1: nowhere. */
static int descriptor_now(int number)
{
	if (number >= START_DESCRIPTORS)
		return -1;
	return are_taken ? places[number].fd : number;
}

static bool leads_to(int number, const char *path)
{
	struct stat ours, there;
	int fd = descriptor_now(number);

	return fd >= 0 && fstat(fd, &ours) == 0 && stat(path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

bool start_descriptor_is_of_init(const char *path)
{
	return number_after(path, init_prefix) != NO_DESCRIPTOR;
}

int start_descriptor_named(const char *path)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "-", STDOUT_FILENO },
		{ "/dev/stdin", STDIN_FILENO },
		{ "/dev/stdout", STDOUT_FILENO },
		{ "/dev/stderr", STDERR_FILENO },
	};
	static const char *const prefixes[] = { "/dev/fd/", "/proc/self/fd/" };
	int number;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(path, names[i].name) == 0)
			return names[i].number;
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if ((number = number_after(path, prefixes[i])) != NO_DESCRIPTOR)
			return number;
	number = number_after(path, init_prefix);
	return number >= 0 && (getpid() == 1 || leads_to(number, path)) ? number : NO_DESCRIPTOR;
}

/* --- the descriptors --------------------------------------------------------------------- */

/* Puts a copy of the descriptor where it does not bother. */
static void move_up(int number)
{
	int copy = fcntl(number, F_DUPFD_CLOEXEC, first_free);

	if (copy < 0)
		return;
	places[number].fd = copy;
	places[number].is_copy = true;
	if (number > STDERR_FILENO)
		close(number);
}

void start_descriptors_take(int least)
{
	first_free = least;
	for (int number = 0; number < START_DESCRIPTORS; number++) {
		bool is_open = fcntl(number, F_GETFD) >= 0;

		places[number] =
			(struct place){ .fd = is_open ? number : -1, .was_closed = !is_open };
		if (is_open && number > STDERR_FILENO)
			move_up(number);
	}
	are_taken = true;
}

void start_descriptors_leave(bool replaces_standard)
{
	for (int number = 0; number < START_DESCRIPTORS; number++) {
		struct place *place = &places[number];

		if (place->was_opened || (number <= STDERR_FILENO && !replaces_standard))
			continue;
		if (place->is_copy)
			close(place->fd);
		place->is_copy = false;
		place->fd = -1;
	}
}

/* A pipe, opened again for a file status of its own: O_NONBLOCK on the descriptor itself would
 * change it for all who have it. -1: it is no pipe, or can't be opened. */
static int open_pipe_again(int fd)
{
	char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISFIFO(status.st_mode) ||
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int start_descriptor_open(int number)
{
	int now = descriptor_now(number), fd;

	if (now < 0 && number < START_DESCRIPTORS && places[number].was_closed)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (now < 0) {
		errno = EBADF;
		return -1;
	}
	if (!places[number].is_copy)
		move_up(number); /* the process may replace it later */
	places[number].was_opened = true;
	now = descriptor_now(number);
	fd = open_pipe_again(now);
	return fd >= 0 ? fd : fcntl(now, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}
