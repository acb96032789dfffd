#include "handlers/error_pipe.h"

#include "admission/sources.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LINE_LENGTH_MAX = 512, /* bytes of a program in a line of the log */
	ESCAPED_MAX = LINE_LENGTH_MAX + LINE_LENGTH_MAX / 2, /* their length when escaped */
	READS_AT_END = 16,
	REPORT_MS = 1000, /* how often dropped lines are reported */
	FORGET_MS = ERROR_LINES_BURST / ERROR_LINES_RATE * 1000, /* until the bucket is full */
};

static const struct pace lines_pace = { ERROR_LINES_RATE, 1, ERROR_LINES_BURST };

/* The pipes of one service together; kept until its bucket is full again. */
struct error_log {
	LIST_ENTRY(error_log) link;
	unsigned pipes;
	struct token_bucket bucket; /* lines */
	uint64_t dropped;           /* lines, not reported yet */
	struct timer report, forget;
	char id[];
};

/* Freed when it is closed and its program has ended. */
struct error_pipe {
	LIST_ENTRY(error_pipe) link;
	struct error_log *log;
	struct watch watch; /* fd -1: closed */
	struct timer grace;
	bool is_released, has_share;
	size_t length;
	char line[LINE_LENGTH_MAX]; /* the beginning of an incomplete line */
};

static LIST_HEAD(, error_log) logs = LIST_HEAD_INITIALIZER(logs);
static LIST_HEAD(, error_pipe) pipes = LIST_HEAD_INITIALIZER(pipes); /* the open ones */
static unsigned open_pipes;
static struct share released; /* descriptors of the pipes whose sessions are over, together */

/* --- a service's lines ------------------------------------------------------------- */

static void report_dropped(struct error_log *log)
{
	if (log->dropped > 0)
		log_warning("service %s: stderr: %llu line%s dropped, there were more than %d a "
			    "second",
			    log->id, (unsigned long long)log->dropped, log->dropped == 1 ? "" : "s",
			    ERROR_LINES_RATE);
	log->dropped = 0;
}

static void on_report(struct timer *timer)
{
	report_dropped(container_of(timer, struct error_log, report));
}

static void on_forget(struct timer *timer)
{
	struct error_log *log = container_of(timer, struct error_log, forget);

	report_dropped(log);
	timer_stop(&log->report);
	LIST_REMOVE(log, link);
	free(log);
}

/* NULL when memory runs out. */
static struct error_log *error_log_of(const char *id)
{
	size_t size = strlen(id) + 1;
	struct error_log *log;

	LIST_FOREACH(log, &logs, link)
		if (strcmp(log->id, id) == 0)
			return log;
	log = calloc(1, sizeof *log + size);
	if (!log)
		return NULL;
	memcpy(log->id, id, size);
	timer_init(&log->report, on_report);
	timer_init(&log->forget, on_forget);
	LIST_INSERT_HEAD(&logs, log, link);
	return log;
}

static void error_log_enter(struct error_log *log)
{
	timer_stop(&log->forget);
	log->pipes++;
}

static void error_log_leave(struct error_log *log)
{
	if (--log->pipes == 0)
		timer_start(&log->forget, FORGET_MS);
}

/* Logs a line of a program, or drops it. If it is too long when escaped, it is split. */
static void error_log_line(struct error_log *log, const char *line, size_t length)
{
	while (length > 0) {
		char escaped[ESCAPED_MAX];
		size_t taken = log_escape_some(escaped, sizeof escaped, line, length);

		if (token_bucket_take(&log->bucket, clock_now(), lines_pace))
			log_notice("service %s: stderr: %s", log->id, escaped);
		else if (log->dropped++ == 0)
			timer_start(&log->report, REPORT_MS);
		line += taken;
		length -= taken;
	}
}

/* --- a pipe -------------------------------------------------------------------------- */

static void end_line(struct error_pipe *pipe)
{
	error_log_line(pipe->log, pipe->line, pipe->length);
	pipe->length = 0;
}

/* Takes bytes up to the end of a line, or up to the longest line. Returns how many. */
static size_t take_line(struct error_pipe *pipe, const char *bytes, size_t length)
{
	size_t room = sizeof pipe->line - pipe->length, part = length < room ? length : room;
	const char *newline = memchr(bytes, '\n', part);

	if (newline)
		part = (size_t)(newline - bytes);
	memcpy(pipe->line + pipe->length, bytes, part);
	pipe->length += part;
	if (newline || pipe->length == sizeof pipe->line)
		end_line(pipe);
	return part + (newline != NULL);
}

static void free_if_over(struct error_pipe *pipe)
{
	if (pipe->is_released && pipe->watch.fd < 0)
		free(pipe);
}

static void error_pipe_close(struct error_pipe *pipe)
{
	end_line(pipe);
	timer_stop(&pipe->grace);
	watch_stop(&pipe->watch);
	close(pipe->watch.fd);
	pipe->watch.fd = -1;
	if (pipe->has_share)
		share_give_back(descriptors_shares(), &released, 1);
	LIST_REMOVE(pipe, link);
	open_pipes--;
	error_log_leave(pipe->log);
	free_if_over(pipe);
}

/* As read(2). */
static ssize_t take_some(struct error_pipe *pipe)
{
	static char bytes[65536];
	ssize_t length = read(pipe->watch.fd, bytes, sizeof bytes);

	for (ssize_t taken = 0; taken < length;)
		taken += (ssize_t)take_line(pipe, bytes + taken, (size_t)(length - taken));
	return length;
}

static void on_event(struct watch *watch, short events)
{
	struct error_pipe *pipe = container_of(watch, struct error_pipe, watch);
	ssize_t length = take_some(pipe);

	(void)events;
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		error_pipe_close(pipe);
}

/* Takes what is in the pipe, which another process may still fill. */
static void on_grace_over(struct timer *timer)
{
	struct error_pipe *pipe = container_of(timer, struct error_pipe, grace);

	for (int i = 0; i < READS_AT_END && take_some(pipe) > 0; i++)
		continue;
	error_pipe_close(pipe);
}

/* Who still has the other end may write for a while, where there is room. */
static void begin_grace(struct error_pipe *pipe)
{
	share_join(descriptors_shares(), &released);
	pipe->has_share = share_take(descriptors_shares(), &released, 1);
	timer_start(&pipe->grace, pipe->has_share ? ERROR_PIPE_GRACE_MS : 0);
}

void error_pipe_release(struct error_pipe *pipe)
{
	if (!pipe)
		return;
	pipe->is_released = true;
	if (pipe->watch.fd >= 0)
		begin_grace(pipe);
	else
		free(pipe);
}

static struct error_pipe *error_pipe_new(const char *id, int read_end)
{
	struct error_pipe *pipe = calloc(1, sizeof *pipe);

	if (!pipe || !(pipe->log = error_log_of(id)))
		goto free_pipe;
	watch_init(&pipe->watch, read_end, on_event);
	timer_init(&pipe->grace, on_grace_over);
	if (watch_start(&pipe->watch, LOOP_READ) < 0)
		goto leave_log;
	error_log_enter(pipe->log);
	LIST_INSERT_HEAD(&pipes, pipe, link);
	open_pipes++;
	return pipe;

leave_log:
	if (pipe->log->pipes == 0)
		timer_start(&pipe->log->forget, FORGET_MS);
free_pipe:
	free(pipe);
	return NULL;
}

struct error_pipe *error_pipe_open(const char *id, int *write_end)
{
	struct error_pipe *pipe;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	/* Only this end: the server expects its standard error to block. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pipe = error_pipe_new(id, ends[0]);
	if (pipe) {
		*write_end = ends[1];
		return pipe;
	}
	close(ends[0]);
	close(ends[1]);
	return NULL;
}

struct error_pipe *error_pipe_resume(const char *id, int read_end)
{
	struct error_pipe *pipe = error_pipe_new(id, read_end);

	if (!pipe)
		close(read_end);
	return pipe;
}

int error_pipe_read_end(const struct error_pipe *pipe)
{
	return pipe->watch.fd;
}

unsigned error_pipe_count(void)
{
	return open_pipes;
}

/* --- leaving programs behind ---------------------------------------------------------- */

static int compare_descriptors(const void *one, const void *other)
{
	return ((const struct pollfd *)one)->fd - ((const struct pollfd *)other)->fd;
}

static void close_between(int first, unsigned last)
{
	if ((unsigned)first <= last && syscall(SYS_close_range, first, last, 0) < 0)
		for (int fd = first; fd < sysconf(_SC_OPEN_MAX) && (unsigned)fd <= last; fd++)
			close(fd);
}

/* Closes everything else, because others may wait for the end of it, and leaves the
 * daemon's session. */
static void keep_only(const struct pollfd *ends, unsigned count)
{
	int next = 0;
	sigset_t none;

	for (unsigned i = 0; i < count; i++) {
		close_between(next, (unsigned)ends[i].fd - 1);
		next = ends[i].fd + 1;
	}
	close_between(next, UINT_MAX);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False at the end of the pipe. */
static bool read_some(int fd)
{
	static char bytes[65536];
	ssize_t length = read(fd, bytes, sizeof bytes);

	return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

/* In a process of its own, forked from one with threads: only async-signal-safe calls. */
static void read_until_all_end(struct pollfd *ends, unsigned count)
{
	unsigned left = count;

	keep_only(ends, count);
	while (left > 0 && (poll(ends, count, -1) > 0 || errno == EINTR))
		for (unsigned i = 0; i < count; i++)
			if (ends[i].revents && !read_some(ends[i].fd)) {
				ends[i].fd = -1; /* poll(2) skips it and clears revents */
				left--;
			}
	_exit(0);
}

void error_pipes_leave(void)
{
	struct pollfd *ends = calloc(open_pipes + 1, sizeof *ends);
	struct error_pipe *pipe;
	unsigned count = 0;
	pid_t pid;

	if (!ends || open_pipes == 0) {
		free(ends);
		return;
	}
	LIST_FOREACH(pipe, &pipes, link)
		ends[count++] = (struct pollfd){ .fd = pipe->watch.fd, .events = POLLIN };
	qsort(ends, count, sizeof *ends, compare_descriptors);
	pid = fork();
	if (pid == 0)
		read_until_all_end(ends, count);
	if (pid < 0)
		log_failure(errno, "can't go on reading standard error of running programs");
	free(ends);
}
