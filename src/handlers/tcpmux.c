#include "handlers/tcpmux.h"

#include "base/container_of.h"
#include "handlers/handler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { LINE_SIZE = TCPMUX_LINE_MAX + 2 };

/* The part of the line that has been received. */
struct request {
	size_t length;
	char line[LINE_SIZE];
};

static const struct tcpmux_callbacks *callbacks;

void tcpmux_init(const struct tcpmux_callbacks *all)
{
	callbacks = all;
}

int tcpmux_line_length(const char *bytes, size_t length, size_t *end)
{
	const char *newline = length > 0 ? memchr(bytes, '\n', length) : NULL;

	if (!newline)
		return -1;
	*end = (size_t)(newline - bytes) + 1;
	if (newline > bytes && newline[-1] == '\r')
		newline--;
	return (int)(newline - bytes);
}

/* --- replies ------------------------------------------------------------------------ */

/* Continues with the result of session_write or session_flush for the reply. */
static void reply_on(struct session *session, int kept)
{
	if (kept > 0 && watch_start(&session->watch, LOOP_WRITE) == 0)
		return;
	if (kept == 0)
		handler_finish_in_order(session);
	else
		handler_finish(session);
}

static void reply(struct session *session, const char *text)
{
	reply_on(session, session_write(session, text, strlen(text)));
}

static void add_name(const char *name, void *stream)
{
	fprintf(stream, "%s\r\n", name);
}

static void reply_with_names(struct session *session)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream)
		callbacks->each_name(add_name, stream);
	if (stream && fclose(stream) == 0)
		reply(session, text);
	else
		handler_finish(session);
	free(text);
}

/* --- the request ---------------------------------------------------------------------- */

static void serve(struct session *session, const char *name)
{
	if (*name == '\0')
		reply(session, "-Service name missing\r\n");
	else if (strcasecmp(name, "help") == 0)
		reply_with_names(session);
	else if (callbacks->transfer(session, name))
		handler_finish(session);
	else
		reply(session, "-Service name not found\r\n");
}

static void serve_line(struct session *session, const char *line, size_t length)
{
	char name[TCPMUX_LINE_MAX + 1];

	if (length >= sizeof name) {
		reply(session, "-Service name too long\r\n");
		return;
	}
	memcpy(name, line, length);
	name[length] = '\0';
	if (strlen(name) == length)
		serve(session, name);
	else
		reply(session, "-Service name not found\r\n"); /* no name has a NUL */
}

/* Reads only the line from the socket and leaves the data after it to the server. */
static void receive_line(struct session *session)
{
	struct request *request = session->handler_data;
	char *more = request->line + request->length;
	ssize_t peeked =
		recv(session->fd, more, LINE_SIZE - request->length, MSG_PEEK | MSG_DONTWAIT);
	size_t end, wanted;
	int length;

	if (peeked < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (peeked <= 0) {
		handler_finish(session);
		return;
	}
	end = request->length + (size_t)peeked;
	length = tcpmux_line_length(request->line, end, &end);
	wanted = end - request->length;
	if (recv(session->fd, more, wanted, MSG_DONTWAIT) != (ssize_t)wanted) {
		handler_finish(session);
		return;
	}
	request->length = end;
	if (length >= 0)
		serve_line(session, request->line, (size_t)length);
	else if (request->length == LINE_SIZE)
		serve_line(session, request->line, LINE_SIZE);
}

static void on_event(struct watch *watch, short events)
{
	struct session *session = container_of(watch, struct session, watch);

	(void)events;
	if (!outbox_is_empty(&session->unsent))
		reply_on(session, session_flush(session));
	else
		receive_line(session);
}

static void on_deadline(struct timer *timer)
{
	handler_finish(container_of(timer, struct session, deadline));
}

static void on_session_closed(struct session *session)
{
	free(session->handler_data);
}

static void tcpmux_start(struct session *session)
{
	struct request *request = calloc(1, sizeof *request);

	if (!request) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return;
	}
	session->handler_data = request;
	session->stop = on_session_closed;
	handler_begin(session);
	timer_init(&session->deadline, on_deadline);
	timer_start(&session->deadline, TCPMUX_DEADLINE_MS);
	watch_init(&session->watch, session->fd, on_event);
	if (watch_start(&session->watch, LOOP_READ) < 0)
		handler_finish(session);
	else
		receive_line(session); /* the client may have sent data already */
}

const struct handler tcpmux_handler = { .name = "tcpmux", .start = tcpmux_start };
