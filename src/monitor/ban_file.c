#include "monitor/ban_file.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/path_guard.h"
#include "base/timer.h"
#include "base/worker.h"
#include "monitor/ban_text.h"
#include "monitor/bans.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRONG_LINES_MAX = 16 };

static char current[PATH_MAX]; /* "": none, or one that must not be used */
static char named[PATH_MAX];   /* the one that the configuration names */
static bool is_changed;        /* since the text that was written, or is being written */
static bool has_failed;        /* the last writing, which was logged */
static struct timer delay;

/* A writing, on a worker or not. */
static struct {
	struct job job;
	bool is_running, has_run;
	char path[PATH_MAX], *text;
	size_t length;
	int error;
} writing;

static struct worker_pool *pool;

/* --- writing ------------------------------------------------------------------------------- */

static void print_ban(const struct address *address, uint64_t until, void *context)
{
	uint64_t left = until == BAN_FOREVER ? BAN_FOREVER : until - clock_now();

	ban_text_add(context, address, left, clock_wall());
}

/* The text of all bans. False when memory runs out. */
static bool print_bans(void)
{
	FILE *out = open_memstream(&writing.text, &writing.length);

	if (!out)
		return false;
	ban_text_begin(out, clock_wall());
	bans_each(print_ban, out);
	if (fclose(out) == 0)
		return true;
	free(writing.text);
	writing.text = NULL;
	return false;
}

static int write_text(int fd)
{
	size_t done = 0;

	while (done < writing.length) {
		ssize_t written = write(fd, writing.text + done, writing.length - done);

		if (written < 0)
			return -1;
		done += (size_t)written;
	}
	return fsync(fd);
}

/* A new file, which nobody else has open, takes the place of the old one, also of a link. */
static int replace_file(int directory, const char *name)
{
	char temporary[NAME_MAX + 1];
	int fd, result;

	errno = ENAMETOOLONG;
	if (snprintf(temporary, sizeof temporary, "%s.new", name) > NAME_MAX)
		return -1;
	if (unlinkat(directory, temporary, 0) < 0 && errno != ENOENT)
		return -1;
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -1;
	result = write_text(fd);
	if (close(fd) < 0 || result < 0 || renameat(directory, temporary, directory, name) < 0) {
		int error = errno;

		unlinkat(directory, temporary, 0);
		errno = error;
		return -1;
	}
	fsync(directory); /* not possible everywhere */
	return 0;
}

static void write_file(struct job *job)
{
	const char *name;
	int directory = path_guard_open_place(writing.path, &name);

	(void)job;
	writing.error = directory < 0 || replace_file(directory, name) < 0 ? errno : 0;
	writing.has_run = true;
	if (directory >= 0)
		close(directory);
}

static void end_writing(void)
{
	writing.is_running = false;
	free(writing.text);
	writing.text = NULL;
	if (writing.error && !has_failed)
		log_failure(writing.error, "can't write the bans to %s", writing.path);
	has_failed = writing.error != 0;
	is_changed |= (has_failed || !writing.has_run) && strcmp(writing.path, current) == 0;
}

static void is_written(struct job *job)
{
	(void)job;
	end_writing();
	if (is_changed)
		timer_start(&delay, has_failed ? BAN_FILE_RETRY_MS : BAN_FILE_DELAY_MS);
}

/* False when memory runs out. */
static bool prepare_writing(void)
{
	if (!print_bans())
		return false;
	snprintf(writing.path, sizeof writing.path, "%s", current);
	writing.has_run = is_changed = false;
	return true;
}

static void begin_writing(struct timer *timer)
{
	(void)timer;
	if (!pool)
		pool = worker_pool_new(1, 1);
	if (!pool || !prepare_writing()) {
		timer_start(&delay, BAN_FILE_RETRY_MS);
		return;
	}
	writing.job = (struct job){ .run = write_file, .done = is_written };
	writing.is_running = true;
	if (worker_submit(pool, &writing.job) < 0) {
		writing.error = errno;
		writing.has_run = true;
		is_written(&writing.job);
	}
}

void ban_file_changed(void)
{
	if (!*current)
		return;
	is_changed = true;
	if (!writing.is_running && !timer_is_pending(&delay))
		timer_start(&delay, BAN_FILE_DELAY_MS);
}

void ban_file_finish(void)
{
	timer_stop(&delay);
	if (pool)
		worker_pool_free(pool); /* waits for a writing that has begun */
	pool = NULL;
	if (writing.is_running)
		end_writing();
	if (!*current || !is_changed || !prepare_writing())
		return;
	write_file(NULL);
	end_writing();
}

/* --- reading --------------------------------------------------------------------------------- */

/* Of the file that is being read. */
static struct {
	void (*added)(const struct address *address, uint64_t until, void *context);
	void *context;
	unsigned bans, wrong;
} reading;

static void take_ban(const struct address *address, uint64_t left)
{
	uint64_t until = left == BAN_FOREVER ? BAN_FOREVER : clock_now() + left;

	bans_add(address, until);
	reading.bans++;
	if (reading.added)
		reading.added(address, until, reading.context);
}

static void skip_line(int line)
{
	if (reading.wrong++ < WRONG_LINES_MAX)
		log_error("%s:%d: no address with the second of its end, or forever; skipped",
			  current, line);
}

/* Logs why the file is not used, and uses none. */
static void refuse(const char *why)
{
	log_error("ban file %s: %s; bans are neither read from it nor kept in it", current, why);
	*current = '\0';
}

/* The file, or -1: there is none, or, refused, it can't be read. */
static int open_current(void)
{
	struct path_guard guard = { .trusted = geteuid() };
	char text[2 * GUARD_TEXT_SIZE], fault[GUARD_TEXT_SIZE], remedy[GUARD_TEXT_SIZE];
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = path_guard_open(&guard, current, flags, 0), error = errno;
	struct stat status;

	if (lstat(current, &status) == 0 && S_ISLNK(status.st_mode)) {
		refuse("is a link"); /* which the first writing would replace */
	} else if (guard.is_changeable || guard.refused_link) {
		snprintf(text, sizeof text, "%s (%s)", path_guard_fault(&guard, fault),
			 path_guard_remedy(&guard, remedy));
		refuse(text);
	} else if (fd < 0 && error != ENOENT) {
		refuse(strerror(error));
	}
	if (fd >= 0 && !*current) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The text; NULL, with *length 0, refused. */
static char *read_text(int fd, size_t *length)
{
	char *text = malloc(BAN_TEXT_MAX + 1);
	struct stat status;
	ssize_t got = 1;

	*length = 0;
	if (!text || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		refuse(text ? "is not a regular file" : strerror(ENOMEM));
		free(text);
		return NULL;
	}
	while (*length <= BAN_TEXT_MAX && got > 0) {
		got = read(fd, text + *length, BAN_TEXT_MAX + 1 - *length);
		if (got > 0)
			*length += (size_t)got;
	}
	if (got == 0 && *length <= BAN_TEXT_MAX)
		return text;
	refuse(got < 0 ? strerror(errno) : "is too large");
	free(text);
	return NULL;
}

static void read_bans(int fd)
{
	static const struct ban_text_events events = { .ban = take_ban, .wrong = skip_line };
	size_t length;
	char *text = read_text(fd, &length);

	if (text && !ban_text_read(text, length, clock_wall(), &events))
		refuse("is no file of bans, as its first line is another");
	free(text);
	if (reading.wrong > WRONG_LINES_MAX)
		log_error("ban file %s: %u more lines are skipped", current,
			  reading.wrong - WRONG_LINES_MAX);
	if (reading.bans > 0)
		log_notice("ban file %s: %u addresses are refused", current, reading.bans);
}

void ban_file_use(const char *path,
		  void (*added)(const struct address *address, uint64_t until, void *context),
		  void *context)
{
	int fd;

	if (strcmp(path ? path : "", named) == 0)
		return;
	snprintf(named, sizeof named, "%s", path ? path : "");
	snprintf(current, sizeof current, "%s", named);
	timer_stop(&delay);
	timer_init(&delay, begin_writing);
	is_changed = has_failed = false;
	if (!path)
		return;
	memset(&reading, 0, sizeof reading);
	reading.added = added;
	reading.context = context;
	descriptors_open_reserve();
	fd = open_current();
	if (fd >= 0) {
		read_bans(fd);
		close(fd);
	}
	descriptors_close_reserve();
	if (*current)
		ban_file_changed();
}
