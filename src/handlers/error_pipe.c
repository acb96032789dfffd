#include "handlers/error_pipe.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MOST = 512 };

struct error_pipe {
	struct watch watch;
	char *id;
	size_t length;
	char line[LINE_MOST]; /* not yet ended */
};

static void log_line(struct error_pipe *pipe, size_t length)
{
	char escaped[LINE_MOST + LINE_MOST / 2];

	if (length > 0)
		log_notice("service %s: stderr: %s", pipe->id,
			   log_escape(escaped, sizeof escaped, pipe->line, length));
}

/* Logs the lines that are whole, and one that is too long as it is. */
static void log_lines(struct error_pipe *pipe)
{
	char *newline;

	while ((newline = memchr(pipe->line, '\n', pipe->length))) {
		size_t length = (size_t)(newline - pipe->line);

		log_line(pipe, length);
		pipe->length -= length + 1;
		memmove(pipe->line, newline + 1, pipe->length);
	}
	if (pipe->length == sizeof pipe->line) {
		log_line(pipe, pipe->length);
		pipe->length = 0;
	}
}

static void error_pipe_close(struct error_pipe *pipe)
{
	log_line(pipe, pipe->length);
	watch_stop(&pipe->watch);
	close(pipe->watch.fd);
	free(pipe->id);
	free(pipe);
}

static void on_event(struct watch *watch, short events)
{
	struct error_pipe *pipe = container_of(watch, struct error_pipe, watch);
	ssize_t length = read(watch->fd, pipe->line + pipe->length,
			      sizeof pipe->line - pipe->length);

	(void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		error_pipe_close(pipe);
		return;
	}
	pipe->length += (size_t)length;
	log_lines(pipe);
}

int error_pipe_open(const char *id)
{
	struct error_pipe *pipe = calloc(1, sizeof *pipe);
	int ends[2];

	if (!pipe || !(pipe->id = strdup(id)) || pipe2(ends, O_CLOEXEC) < 0)
		goto free_pipe;
	/* Only our end: the server expects its standard error to block. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	watch_init(&pipe->watch, ends[0], on_event);
	if (watch_start(&pipe->watch, LOOP_READ) == 0)
		return ends[1];
	close(ends[0]);
	close(ends[1]);
free_pipe:
	if (pipe)
		free(pipe->id);
	free(pipe);
	return -1;
}
