/* Echo, RFC 862. */
#include "base/container_of.h"
#include "handlers/handler.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* One buffer for all sessions: an idle one needs only its struct. */
static unsigned char bytes[65536];

/* How often one session may read in one turn of the loop. */
enum { READS_PER_TURN = 4 };

static void watch_or_finish(struct session *session, short events)
{
	if (watch_start(&session->watch, events) < 0)
		handler_finish(session);
}

/* True while there may be more to read. */
static bool echo_some(struct session *session)
{
	ssize_t length = recv(session->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	int kept;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length <= 0) {
		handler_finish(session);
		return false;
	}
	kept = session_write(session, bytes, (size_t)length);
	if (kept < 0)
		handler_finish_unsent(session, errno);
	else if (kept > 0)
		watch_or_finish(session, LOOP_WRITE);
	/* A short read has emptied the socket. */
	return kept == 0 && (size_t)length == sizeof bytes;
}

static void on_event(struct watch *watch, short events)
{
	struct session *session = container_of(watch, struct session, watch);

	handler_note_traffic(session);
	if (!outbox_is_empty(&session->unsent)) {
		int kept = session_flush(session);

		if (kept < 0)
			handler_finish_unsent(session, errno);
		else if (kept == 0)
			watch_or_finish(session, LOOP_READ);
		return;
	}
	(void)events;
	for (int reads = 0; reads < READS_PER_TURN && echo_some(session); reads++)
		;
}

static void echo_start(struct session *session)
{
	handler_begin(session);
	handler_note_traffic(session);
	watch_init(&session->watch, session->fd, on_event);
	if (watch_start(&session->watch, LOOP_READ) < 0)
		handler_finish(session);
	else
		echo_some(session); /* the client may have sent data already */
}

static size_t echo_answer(const unsigned char *request, size_t length, unsigned char *answer,
			  size_t size)
{
	length = length < size ? length : size;
	memcpy(answer, request, length);
	return length;
}

const struct handler echo_handler = { .name = "echo", .start = echo_start, .answer = echo_answer };
