/* A server's standard error goes to the log. The first byte gives the size of the pieces
 * in which the others are written. Each line of the log names the service, is printable
 * and has the bytes of one line of the server, all in order. */
#include "base/loop.h"
#include "handlers/error_pipe.h"

#include "fuzz.h"
#include "support/escapes.h"
#include "support/own_log.h"

#include <stdio.h>
#include <unistd.h>

/* Less than the log takes from one service; each run has another service. */
enum { WRITTEN_MAX = 4096, LINES_MAX = 40 };

static char id[32], head[64]; /* of each line */

static size_t count_lines(struct input input)
{
	size_t count = 0;

	while (input.length > 0) {
		input_line(&input);
		count++;
	}
	return count;
}

static void write_pieces(int fd, struct input input, size_t most)
{
	while (input.length > 0) {
		struct input piece = input_piece(&input, most);

		require(write(fd, piece.bytes, piece.length) == (ssize_t)piece.length);
		loop_turn(0);
	}
}

static void end_pipe(int fd)
{
	close(fd);
	while (error_pipe_count() > 0)
		loop_turn(-1);
}

/* The text behind the head, which every line must have; *rest is moved on. */
static const char *next_text(char **rest)
{
	char *line = strsep(rest, "\n");
	const char *message = own_log_message(line);

	require(message && strncmp(message, head, strlen(head)) == 0);
	return message + strlen(head);
}

/* A long line may need several lines of the log, but loses no byte. */
static void check_line(struct input line, char **log)
{
	while (line.length > 0) {
		size_t told = escapes_match(next_text(log), line);

		require(told > 0);
		input_piece(&line, told);
	}
}

static void check_log(struct input written)
{
	size_t length;
	char *log = own_log_take(&length);

	require(strlen(log) == length);
	while (written.length > 0)
		check_line(input_line(&written), &log);
	require(log && *log == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static bool is_ready;
	struct input input = { bytes, length };
	size_t piece = input_byte(&input) * 4U + 1;
	static unsigned run;
	struct error_pipe *pipe;
	int fd;

	if (input.length > WRITTEN_MAX || count_lines(input) > LINES_MAX)
		return 0;
	if (!is_ready) {
		own_log_open();
		require(loop_init() == 0);
	}
	is_ready = true;
	snprintf(id, sizeof id, "hostile-%u", ++run);
	snprintf(head, sizeof head, "NOTICE: service %s: stderr: ", id);
	pipe = error_pipe_open(id, &fd);
	require(pipe && fd >= 0 && error_pipe_count() == 1);
	write_pieces(fd, input, piece);
	end_pipe(fd);
	error_pipe_release(pipe);
	check_log(input);
	return 0;
}
