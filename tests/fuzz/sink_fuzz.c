/* Lines go to syslog, and to a file with limits that is rotated, shrunk and reopened
 * meanwhile. Each line is written, whole and in order, or counted as lost. A file grows at
 * most one line beyond its hard limit.
 *
 * The input is a list: an action, a number, and so many bytes of a line. */
#include "base/sink.h"

#include "fuzz.h"
#include "support/own_log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum {
	TEXT_MAX = 8192, /* bytes of a line; the rest is cut */
	HEAD_MAX = 96,
	STEPS_MAX = 64,
	EXPECTED_MAX = STEPS_MAX * (TEXT_MAX + 2),
};

static char place[] = "/tmp/usherd-sink-fuzz-XXXXXX";
static char log_path[sizeof place + 8], old_path[sizeof place + 8];
static char socket_path[sizeof place + 8];
static int syslogd = -1;

/* The lines that the file must have, with a newline after each. */
static char expected[EXPECTED_MAX];
static size_t expected_length;

/* --- a place ------------------------------------------------------------------------ */

static void leave_place(void)
{
	unlink(log_path);
	unlink(old_path);
	unlink(socket_path);
	rmdir(place);
}

static void make_place(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	signal(SIGPIPE, SIG_IGN);
	require(mkdtemp(place) != NULL);
	snprintf(log_path, sizeof log_path, "%s/log", place);
	snprintf(old_path, sizeof old_path, "%s/old", place);
	snprintf(socket_path, sizeof socket_path, "%s/socket", place);
	atexit(leave_place);
	strcpy(address.sun_path, socket_path);
	syslogd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	require(syslogd >= 0 && bind(syslogd, (struct sockaddr *)&address, sizeof address) == 0);
	sink_use_syslog_socket(socket_path);
}

/* --- the file --------------------------------------------------------------------------- */

/* Compares the lines with the expected ones, and forgets them. */
static void check_file(const char *path)
{
	static char text[EXPECTED_MAX + STEPS_MAX * HEAD_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, text, sizeof text - 1);
	char *rest = text, *line, *wanted = expected;

	require(fd >= 0 && length >= 0);
	close(fd);
	text[length] = expected[expected_length] = '\0';
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *found = own_log_record(line), *want = strsep(&wanted, "\n");

		require(want && (found || (found = own_log_message(line))));
		require(strcmp(found, want) == 0);
	}
	require(!wanted || *wanted == '\0');
	expected_length = 0;
}

static void expect(const char *text, size_t length)
{
	length = length < TEXT_MAX ? length : TEXT_MAX;
	memcpy(expected + expected_length, text, length);
	expected_length += length;
	expected[expected_length++] = '\n';
}

static void check_size(uint64_t hard_limit)
{
	struct stat status;

	require(stat(log_path, &status) == 0);
	require(!hard_limit || (uint64_t)status.st_size <= hard_limit + TEXT_MAX + HEAD_MAX);
}

/* A lost line is counted; lines get lost only with a limit. */
static void write_line(struct sink *sink, bool is_message, const char *text, uint64_t hard_limit)
{
	uint64_t lost = sink_lost_lines();
	size_t length = strlen(text);

	if (is_message)
		sink_message(sink, LOG_INFO, text, length);
	else
		sink_line(sink, text, length);
	require(sink_lost_lines() - lost <= (hard_limit > 0));
	if (sink_lost_lines() == lost)
		expect(text, length);
	else
		require(sink_is_losing(sink));
}

/* As logrotate does. Buffered lines go to the old file. */
static void rotate(void)
{
	sink_flush_all();
	require(rename(log_path, old_path) == 0);
	sink_reopen_all();
	check_file(old_path);
}

static struct sink *limit(struct sink *sink, uint64_t soft_limit, uint64_t hard_limit)
{
	struct sink *again = sink_open_file(log_path, soft_limit, hard_limit, "fuzz");

	require(again == sink || !sink);
	if (sink)
		sink_release(again);
	return again;
}

/* --- syslog ------------------------------------------------------------------------- */

static void check_syslog(struct sink *sink, const char *text)
{
	static char datagram[TEXT_MAX + HEAD_MAX + 1];
	size_t length = strlen(text) < TEXT_MAX ? strlen(text) : TEXT_MAX;
	char start[16];
	ssize_t got;

	sink_line(sink, text, strlen(text));
	got = recv(syslogd, datagram, sizeof datagram - 1, 0);
	require(got > 0);
	datagram[got] = '\0';
	snprintf(start, sizeof start, "<%d>", LOG_LOCAL3 | LOG_NOTICE);
	require(strncmp(datagram, start, strlen(start)) == 0 && (size_t)got >= length);
	require(strncmp(datagram + got - length, text, length) == 0);
	require(!strchr(datagram, '\n'));
}

/* --- the whole -------------------------------------------------------------------------- */

static void take_step(struct input *input, struct sink *file, struct sink *syslog,
		      uint64_t *hard_limit)
{
	uint8_t what = input_byte(input);
	size_t number = input_byte(input) * 40U;
	struct input line;
	char *text;

	switch (what % 8) {
	case 0:
		rotate();
		return;
	case 1:
		*hard_limit = number * (what & 8);
		limit(file, number, *hard_limit);
		return;
	case 2:
		sink_flush_all();
		check_size(*hard_limit);
		return;
	}
	line = input_piece(input, number);
	text = input_string(input_line(&line));
	if (what % 8 == 3)
		check_syslog(syslog, text);
	else
		write_line(file, what & 8, text, *hard_limit);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input input = { bytes, length };
	struct sink *file, *syslog;
	uint64_t hard_limit = 0;

	if (syslogd < 0)
		make_place();
	unlink(log_path);
	expected_length = 0;
	file = limit(NULL, 0, 0);
	syslog = sink_open_syslog(LOG_LOCAL3, LOG_NOTICE);
	require(file && syslog && sink_is_syslog(syslog) && !sink_is_syslog(file));
	for (int step = 0; step < STEPS_MAX && input.length > 0; step++)
		take_step(&input, file, syslog, &hard_limit);
	sink_release(file);
	sink_release(syslog);
	check_file(log_path);
	return 0;
}
