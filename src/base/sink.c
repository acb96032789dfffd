#include "base/sink.h"

#include "base/descriptors.h"
#include "base/hash.h"
#include "base/log_file.h"
#include "base/own_name.h"
#include "base/syslog_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
	GATHERED_MAX = 64 * 1024,          /* bytes of a file's lines before they are written */
	LINE_LENGTH_MAX = SYSLOG_TEXT_MAX, /* longer lines are cut, wherever they go */
	HEAD_MAX = 96,                     /* time and name before a line in a file */
	OWN_LEVEL = -1,                    /* of a line that is not a message */
};

/* The lines that could not be written since the last success. */
struct trouble {
	bool is_told;
	uint64_t lost;
};

enum line_kind {
	KIND_LINE,    /* of a service */
	KIND_MESSAGE, /* of the daemon */
	KIND_RECORD,  /* complete */
};

struct line {
	enum line_kind kind;
	int level; /* OWN_LEVEL: the sink's */
	const char *text;
	size_t length;
};

struct sink_kind {
	void (*write)(struct sink *sink, const struct line *line);
	void (*close)(struct sink *sink);
};

struct sink {
	const struct sink_kind *kind;
	unsigned references;
	int fd;
	bool is_stamped; /* a descriptor: the time stands before each line */
	bool is_torn;    /* the last write did not end in a newline */
	struct trouble trouble;

	int facility, level; /* of syslog */

	char *path; /* of a file, as is the rest */
	char *owner;
	bool is_held;    /* one of the references is for sink_let_files_go */
	bool is_regular; /* otherwise a pipe, a socket or a terminal ... */
	bool may_block;  /* ... perhaps one that others have, too */
	uint64_t size;   /* collected lines included */
	uint64_t soft_limit, hard_limit;
	bool soft_is_told, hard_is_told;
	char *gathered;
	size_t length, capacity;
	LIST_ENTRY(sink) link; /* in unwritten, while length is not 0 */
	UT_hash_handle hh;
};

static struct sink *files;
static LIST_HEAD(, sink) unwritten = LIST_HEAD_INITIALIZER(unwritten);

/* Of all syslog sinks, because they share one socket. */
static struct trouble syslog_trouble;

static sink_trouble *tell_trouble;
static uint64_t lost_lines;

void sink_on_trouble(sink_trouble *callback)
{
	tell_trouble = callback;
}

uint64_t sink_lost_lines(void)
{
	return lost_lines;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char sentence[PATH_MAX + 256];
	va_list arguments;

	if (!tell_trouble)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	tell_trouble(sentence);
}

static void lose(struct trouble *trouble, uint64_t lines)
{
	trouble->lost += lines;
	lost_lines += lines;
}

/* The state is changed before the callback, which may write to the same sink. */
static void trouble_begins(struct trouble *trouble, int error, const char *what, const char *name)
{
	if (trouble->is_told)
		return;
	trouble->is_told = true;
	tell("%s%s: %s, lines are being lost", what, name, strerror(error));
}

static void trouble_ends(struct trouble *trouble, const char *what, const char *name)
{
	uint64_t lost = trouble->lost;

	*trouble = (struct trouble){ 0 };
	if (lost > 0)
		tell("%s%s: writing again, %llu %s lost", what, name, (unsigned long long)lost,
		     lost == 1 ? "line was" : "lines were");
}

struct moment {
	time_t second;
	struct tm local;
	char stamp[32]; /* of a line in a file */
};

/* The time of day, converted to local time and text once a second. */
static const struct moment *current_moment(void)
{
	static struct moment moment = { .second = -1 };
	struct timespec time;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME_COARSE, &time);
	if (time.tv_sec == moment.second || !localtime_r(&time.tv_sec, &tm))
		return &moment;
	moment.second = time.tv_sec;
	moment.local = tm;
	snprintf(moment.stamp, sizeof moment.stamp, "%02d/%d/%d@%02d:%02d:%02d", tm.tm_year % 100,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return &moment;
}

static struct sink *sink_new(const struct sink_kind *kind, int fd)
{
	struct sink *sink = calloc(1, sizeof *sink);

	if (!sink)
		return NULL;
	sink->kind = kind;
	sink->references = 1;
	sink->fd = fd;
	return sink;
}

static bool file_is_full(const struct sink *sink)
{
	return sink->is_regular && sink->hard_limit && sink->size > sink->hard_limit;
}

static uint64_t count_lines(const char *text, size_t length)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

/* How much of text was written; errno says why not more. */
static size_t write_most(int fd, const char *text, size_t length)
{
	size_t written = 0;

	while (written < length) {
		ssize_t taken = write(fd, text + written, length - written);

		if (taken > 0)
			written += (size_t)taken;
		else if (taken == 0 || errno != EINTR)
			break;
	}
	return written;
}

/* As many whole lines as a ready pipe takes at once. */
static size_t chunk_of(const char *text, size_t length)
{
	const char *end;

	if (length <= PIPE_BUF)
		return length;
	end = memrchr(text, '\n', PIPE_BUF);
	return end ? (size_t)(end + 1 - text) : PIPE_BUF;
}

static ssize_t write_when_ready(int fd, const char *text, size_t length)
{
	struct pollfd descriptor = { .fd = fd, .events = POLLOUT };

	if (poll(&descriptor, 1, 0) != 0)
		return (ssize_t)write_most(fd, text, length);
	errno = EAGAIN;
	return 0;
}

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8 /* linux/fs.h */
#endif

/* Others use the descriptor too, so it can't be made non-blocking, and it must not block here:
 * the socket, or the kernel since 6.4 for a pipe, is told so with each write. Anything else is
 * polled first, and gets no more than a ready pipe takes at once. pwritev2(2) is called by
 * number, as not every C library has it; the offset -1 is the current one. */
static ssize_t write_at_once(int fd, const char *text, size_t length)
{
	struct iovec piece = { .iov_base = (void *)(uintptr_t)text, .iov_len = length };
	ssize_t taken = send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (taken < 0 && errno == ENOTSOCK)
		taken = syscall(SYS_pwritev2, fd, &piece, 1, -1L, -1L, RWF_NOWAIT);
	if (taken < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
		taken = write_when_ready(fd, text, length);
	return taken;
}

static size_t write_while_ready(int fd, const char *text, size_t length)
{
	size_t written = 0;

	while (written < length) {
		size_t chunk = chunk_of(text + written, length - written);
		ssize_t taken = write_at_once(fd, text + written, chunk);

		written += taken > 0 ? (size_t)taken : 0;
		if (taken < (ssize_t)chunk)
			break;
	}
	return written;
}

/* A line that was written only in part counts as lost; the next one begins on a new
 * line. */
static void note_written(struct sink *sink, const char *text, size_t length, size_t written)
{
	uint64_t lines = count_lines(text + written, length - written);

	if (written == 0 && sink->is_torn)
		lines--; /* the newline for the torn line, which is counted already */
	lose(&sink->trouble, lines);
	if (written > 0)
		sink->is_torn = text[written - 1] != '\n';
}

static void file_flush(struct sink *sink)
{
	char *text = sink->gathered;
	size_t length = sink->length;
	size_t written;
	int error;

	if (length == 0)
		return;
	LIST_REMOVE(sink, link);
	sink->gathered = NULL;
	sink->length = sink->capacity = 0;
	written = sink->may_block ? write_while_ready(sink->fd, text, length)
				  : write_most(sink->fd, text, length);
	error = errno;
	note_written(sink, text, length, written);
	sink->size -= length - written;
	free(text);
	if (written < length)
		trouble_begins(&sink->trouble, error, "log file ", sink->path);
	else if (!file_is_full(sink))
		trouble_ends(&sink->trouble, "log file ", sink->path);
}

static int reserve(struct sink *sink, size_t length)
{
	size_t capacity = sink->capacity ? sink->capacity : 1024;
	char *more;

	if (sink->length + length > GATHERED_MAX)
		file_flush(sink);
	while (capacity < sink->length + length)
		capacity *= 2;
	if (capacity == sink->capacity)
		return 0;
	more = realloc(sink->gathered, capacity);
	if (!more)
		return -1;
	sink->gathered = more;
	sink->capacity = capacity;
	return 0;
}

static void add(struct sink *sink, const char *text, size_t length)
{
	memcpy(sink->gathered + sink->length, text, length);
	sink->length += length;
	sink->size += length;
}

static int gather(struct sink *sink, const char *head, const char *text, size_t length)
{
	size_t head_length = strlen(head);

	if (reserve(sink, 1 + head_length + length + 1) < 0)
		return -1;
	if (sink->length == 0) {
		LIST_INSERT_HEAD(&unwritten, sink, link);
		if (sink->is_torn)
			add(sink, "\n", 1);
	}
	add(sink, head, head_length);
	add(sink, text, length);
	add(sink, "\n", 1);
	return 0;
}

static void tell_limits(struct sink *sink)
{
	if (sink->is_regular && sink->soft_limit && sink->size > sink->soft_limit &&
	    !sink->soft_is_told) {
		sink->soft_is_told = true;
		tell("soft limit exceeded on '%s'", sink->owner);
	}
	if (file_is_full(sink) && !sink->hard_is_told) {
		sink->hard_is_told = true;
		tell("Size of %s log exceeded hard limit", sink->owner);
	}
}

static void file_write(struct sink *sink, const struct line *line)
{
	const char *stamp = current_moment()->stamp;
	char head[HEAD_MAX] = "";

	if (line->kind == KIND_LINE)
		strcpy(stpcpy(head, stamp), ": ");
	else if (line->kind == KIND_MESSAGE)
		snprintf(head, sizeof head, "%s %s[%d]: ", stamp, own_name(), (int)own_process());
	if (file_is_full(sink) || gather(sink, head, line->text, line->length) < 0)
		lose(&sink->trouble, 1);
	tell_limits(sink);
}

static void file_free(struct sink *sink)
{
	if (sink->fd >= 0) {
		close(sink->fd);
		descriptors_regain();
	}
	free(sink->path);
	free(sink->owner);
	free(sink);
}

static void file_close(struct sink *sink)
{
	file_flush(sink);
	HASH_DEL(files, sink);
	file_free(sink);
}

static const struct sink_kind file_kind = { .write = file_write, .close = file_close };

/* What is no regular file has size 0. */
static void measure(struct sink *sink)
{
	struct stat status;

	sink->is_regular = fstat(sink->fd, &status) == 0 && S_ISREG(status.st_mode);
	sink->may_block = !sink->is_regular && !(fcntl(sink->fd, F_GETFL) & O_NONBLOCK);
	sink->size = sink->is_regular ? (uint64_t)status.st_size : 0;
}

/* Opens files. */
static sink_opener *opener = log_file_open;

void sink_use_opener(sink_opener *other)
{
	opener = other;
}

static int file_open(struct sink *sink)
{
	int fd = opener(sink->path);

	if (fd < 0)
		return -1;
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = fd;
	measure(sink);
	sink->is_torn = sink->is_torn && sink->size > 0;
	sink->soft_is_told = sink->soft_is_told && sink->size > sink->soft_limit;
	sink->hard_is_told = sink->hard_is_told && file_is_full(sink);
	return 0;
}

static int file_open_first(struct sink *sink)
{
	if (!descriptors_spend()) {
		log_file_say(strerror(errno));
		return -1;
	}
	if (file_open(sink) == 0)
		return 0;
	descriptors_regain();
	return -1;
}

static struct sink *file_new(const char *path)
{
	struct sink *sink = sink_new(&file_kind, -1);
	int error = ENOMEM;

	if (!sink)
		return NULL;
	sink->path = strdup(path);
	if (!sink->path || file_open_first(sink) < 0) {
		error = errno;
		goto free_file;
	}
	HASH_ADD_KEYPTR(hh, files, sink->path, strlen(sink->path), sink);
	if (sink->hh.tbl)
		return sink;

free_file:
	file_free(sink);
	errno = error;
	return NULL;
}

/* Several logs may share a file; the limits of the last one are used, so that a reload
 * can change them. */
static int file_set_limits(struct sink *sink, uint64_t soft, uint64_t hard, const char *owner)
{
	char *copy = strdup(owner);

	if (!copy)
		return -1;
	free(sink->owner);
	sink->owner = copy;
	sink->soft_is_told = sink->soft_is_told && sink->soft_limit == soft;
	sink->hard_is_told = sink->hard_is_told && sink->hard_limit == hard;
	sink->soft_limit = soft;
	sink->hard_limit = hard;
	return 0;
}

struct sink *sink_open_file(const char *path, uint64_t soft_limit, uint64_t hard_limit,
			    const char *owner)
{
	struct sink *sink;

	log_file_say(strerror(ENOMEM));
	HASH_FIND_STR(files, path, sink);
	sink = sink ? sink_keep(sink) : file_new(path);
	if (!sink)
		return NULL;
	if (file_set_limits(sink, soft_limit, hard_limit, owner) < 0) {
		sink_release(sink);
		errno = ENOMEM;
		return NULL;
	}
	return sink;
}

void sink_use_syslog_socket(const char *path)
{
	syslog_socket_use(path);
	syslog_trouble = (struct trouble){ 0 };
}

static void syslog_write(struct sink *sink, const struct line *line)
{
	int level = line->level == OWN_LEVEL ? sink->level : line->level;
	int priority = LOG_MAKEPRI(sink->facility, level);

	if (syslog_socket_send(priority, &current_moment()->local, line->text, line->length) == 0) {
		trouble_ends(&syslog_trouble, "syslog", "");
		return;
	}
	lose(&syslog_trouble, 1);
	trouble_begins(&syslog_trouble, errno, "syslog", "");
}

static void plain_close(struct sink *sink)
{
	free(sink);
}

static const struct sink_kind syslog_kind = { .write = syslog_write, .close = plain_close };

struct sink *sink_open_syslog(int facility, int level)
{
	struct sink *sink = sink_new(&syslog_kind, -1);

	if (!sink)
		return NULL;
	sink->facility = facility;
	sink->level = level;
	return sink;
}

bool sink_is_syslog(const struct sink *sink)
{
	return sink->kind == &syslog_kind;
}

static void descriptor_write(struct sink *sink, const struct line *source)
{
	char line[1 + HEAD_MAX + LINE_LENGTH_MAX + 1];
	size_t size = 0, written;
	int error;

	if (sink->is_torn)
		line[size++] = '\n';
	if (sink->is_stamped && source->kind != KIND_RECORD)
		size += (size_t)snprintf(line + size, HEAD_MAX, "%s ", current_moment()->stamp);
	memcpy(line + size, source->text, source->length);
	size += source->length;
	line[size++] = '\n';
	written = write_while_ready(sink->fd, line, size);
	error = errno;
	note_written(sink, line, size, written);
	if (written < size)
		trouble_begins(&sink->trouble, error, "log descriptor", "");
	else
		trouble_ends(&sink->trouble, "log descriptor", "");
}

static const struct sink_kind descriptor_kind = { .write = descriptor_write, .close = plain_close };

struct sink *sink_open_descriptor(int fd)
{
	return sink_new(&descriptor_kind, fd);
}

void sink_stamp(struct sink *sink)
{
	sink->is_stamped = true;
}

struct sink *sink_keep(struct sink *sink)
{
	sink->references++;
	return sink;
}

void sink_release(struct sink *sink)
{
	if (sink && --sink->references == 0)
		sink->kind->close(sink);
}

static void sink_write(struct sink *sink, struct line line)
{
	if (line.length > LINE_LENGTH_MAX)
		line.length = LINE_LENGTH_MAX;
	sink->kind->write(sink, &line);
}

void sink_line(struct sink *sink, const char *text, size_t length)
{
	sink_write(sink, (struct line){ KIND_LINE, OWN_LEVEL, text, length });
}

void sink_message(struct sink *sink, int level, const char *text, size_t length)
{
	sink_write(sink, (struct line){ KIND_MESSAGE, level, text, length });
}

void sink_record(struct sink *sink, const char *text, size_t length)
{
	sink_write(sink, (struct line){ KIND_RECORD, OWN_LEVEL, text, length });
}

void sink_record_at(struct sink *sink, int level, const char *text, size_t length)
{
	sink_write(sink, (struct line){ KIND_RECORD, level, text, length });
}

bool sink_is_file(const struct sink *sink)
{
	return sink->kind == &file_kind;
}

bool sink_is_losing(const struct sink *sink)
{
	return file_is_full(sink) ||
	       (sink_is_syslog(sink) ? syslog_trouble.is_told : sink->trouble.is_told);
}

void sink_flush_all(void)
{
	while (!LIST_EMPTY(&unwritten))
		file_flush(LIST_FIRST(&unwritten));
}

void sink_hold_file(const char *path)
{
	struct sink *sink;

	HASH_FIND_STR(files, path, sink);
	if (sink && !sink->is_held)
		sink_keep(sink)->is_held = true;
}

void sink_let_files_go(void)
{
	struct sink *sink, *next;

	HASH_ITER(hh, files, sink, next)
		if (sink->is_held) {
			sink->is_held = false;
			sink_release(sink);
		}
}

void sink_reopen_all(void)
{
	struct sink *sink, *next;

	sink_flush_all();
	HASH_ITER(hh, files, sink, next)
		if (file_open(sink) < 0 && errno != EALREADY)
			tell("log file %s: cannot be reopened: %s", sink->path, log_file_error());
}
