/* Discard, RFC 863. */
#include "base/container_of.h"
#include "handlers/handler.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

static void on_event(struct watch *watch, short events)
{
	struct session *session = container_of(watch, struct session, watch);
	ssize_t length;

	(void)events;
	handler_note_traffic(session);
	/* With MSG_TRUNC TCP discards the bytes without copying them, tcp(7). */
	length = recv(session->fd, NULL, INT_MAX, MSG_TRUNC | MSG_DONTWAIT);
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		handler_finish(session);
}

static void discard_start(struct session *session)
{
	handler_begin(session);
	handler_note_traffic(session);
	watch_init(&session->watch, session->fd, on_event);
	if (watch_start(&session->watch, LOOP_READ) < 0)
		handler_finish(session);
}

const struct handler discard_handler = {
	.name = "discard",
	.start = discard_start,
	.answer = handler_no_answer,
};
