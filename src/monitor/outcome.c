#include "monitor/outcome.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE_ROOM = 64 }; /* for the last line */

static struct text text;
static unsigned missing; /* lines */
static struct reload_message numbers;

void outcome_begin(void)
{
	text.length = 0;
	text.failed = false;
	missing = 0;
	numbers = (struct reload_message){ .time = clock_wall() };
}

struct reload_message *outcome_numbers(void)
{
	return &numbers;
}

/* Takes back what was added since the text had that length, if it is too much. */
static void end_line(size_t begin)
{
	text_add_char(&text, '\n');
	if (text.length <= OUTCOME_TEXT_MAX - LINE_ROOM && !text.failed && missing == 0)
		return;
	text.length = begin;
	text.failed = false;
	missing++;
}

void outcome_add_problem(const struct problem *problem)
{
	size_t begin = text.length;

	numbers.errors += problem->severity == ERROR;
	if (problem->severity == ADVICE)
		return;
	if (problem->file && problem->line)
		text_add_format(&text, "%s:%d: ", problem->file, problem->line);
	else if (problem->file)
		text_add_format(&text, "%s: ", problem->file);
	text_add_format(&text, "%s: %s", severity_name(problem->severity), problem->text);
	end_line(begin);
}

void outcome_add_change(const char *what, const char *id)
{
	size_t begin = text.length;

	text_add_format(&text, "%s: %s", what, id);
	end_line(begin);
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int outcome_open(void)
{
	struct text last = { 0 };
	int fd, result;

	if (numbers.time == 0) {
		errno = ENOENT;
		return -1;
	}
	fd = memfd_create("usherd-outcome", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (missing)
		text_add_format(&last, "and %u more lines\n", missing);
	result = write_all(fd, text.bytes, text.length);
	if (result == 0)
		result = write_all(fd, last.bytes, last.length);
	text_free(&last);
	if (result == 0)
		return fd;
	close(fd);
	return -1;
}
