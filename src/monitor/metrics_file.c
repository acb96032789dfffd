#include "monitor/metrics_file.h"

#include "base/log.h"
#include "base/path_guard.h"
#include "monitor/frontend_process.h"
#include "monitor/handed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METRICS_MODE = 0644 }; /* the collector is another user */

static char current[PATH_MAX]; /* "": none */
static bool has_failed;        /* which was logged */
static struct timer next;

static void on_failed(struct handed_file *file, int error)
{
	if (!has_failed)
		log_failure(error, "can't write the measures to %s", file->path);
	has_failed = true;
}

static struct handed_file metrics = { .failed = on_failed };

/* Without a frontend there is nothing to write: the next one is asked in its turn. */
static void on_next(struct timer *timer)
{
	int descriptor;

	timer_start(timer, METRICS_FILE_MS);
	if (!frontend_process_is_ready())
		return;
	descriptor = handed_file_open(&metrics, current, METRICS_MODE);
	if (descriptor < 0)
		return;
	frontend_process_send(&(struct message){ .kind = MESSAGE_MEASURE,
						 .measured = { .ticket = metrics.ticket } },
			      &descriptor, 1);
	close(descriptor);
}

static void remove_file(void)
{
	const char *name;
	int directory = path_guard_open_place(current, &name);

	if (directory < 0)
		return;
	unlinkat(directory, name, 0);
	close(directory);
}

void metrics_file_finish(void)
{
	if (!*current)
		return;
	timer_stop(&next);
	has_failed = true; /* not that it is given up */
	metrics_file_give_up();
	remove_file();
	*current = '\0';
}

/* True when the file that is there begins as measures do, or with nothing. */
static bool has_measures(int fd)
{
	static const char beginning[] = "# HELP usherd_";
	char bytes[sizeof beginning - 1];
	struct stat status;
	ssize_t length;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	length = read(fd, bytes, sizeof bytes);
	return length == 0 ||
	       (length == (ssize_t)sizeof bytes && memcmp(bytes, beginning, sizeof bytes) == 0);
}

/* A mistake in the path must not cost another file. What can't be opened is met later. */
static bool is_another_file(const char *path)
{
	const char *name;
	int directory = path_guard_open_place(path, &name), fd;
	bool is_other;

	if (directory < 0)
		return false;
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	is_other = fd >= 0 ? !has_measures(fd) : errno == ELOOP;
	if (fd >= 0)
		close(fd);
	close(directory);
	return is_other;
}

void metrics_file_use(const char *path)
{
	if (strcmp(path ? path : "", current) == 0)
		return;
	metrics_file_finish();
	if (!path)
		return;
	if (is_another_file(path)) {
		log_error("metrics_file %s: a file of something else is there; it is not replaced. "
			  "Remove it, or name another one",
			  path);
		return;
	}
	has_failed = false;
	snprintf(current, sizeof current, "%s", path);
	timer_init(&next, on_next);
	timer_start(&next, 0);
}

void metrics_file_written(uint64_t ticket, int error)
{
	if (error && ticket == metrics.ticket)
		handed_file_give_up(&metrics, error);
	else if (!error && handed_file_finish(&metrics, ticket))
		has_failed = false;
}

void metrics_file_give_up(void)
{
	handed_file_give_up(&metrics, ECONNRESET);
}
