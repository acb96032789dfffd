/* Character Generator, RFC 864: lines of 72 characters from the ring of the 95 printable
 * ones; each line begins one character further than the last. */
#include "base/container_of.h"
#include "handlers/handler.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	RING = '~' - ' ' + 1,
	LINE_CHARACTERS = 72,
	LINE = LINE_CHARACTERS + 2, /* and CR LF */
	PERIOD = RING * LINE,       /* then the output repeats */
	PERIODS = 10,
	ANSWER = 512, /* the most in a datagram (RFC 864) */
	WRITES_PER_TURN = 4,
};

/* Long enough that a write can begin anywhere in the first period. */
static const unsigned char *characters(void)
{
	static unsigned char bytes[PERIODS * PERIOD];

	if (bytes[0])
		return bytes;
	for (int line = 0; line < RING; line++) {
		unsigned char *out = bytes + line * LINE;

		for (int i = 0; i < LINE_CHARACTERS; i++)
			*out++ = (unsigned char)(' ' + (line + i) % RING);
		memcpy(out, "\r\n", 2);
	}
	for (int period = 1; period < PERIODS; period++)
		memcpy(bytes + period * PERIOD, bytes, PERIOD);
	return bytes;
}

static void on_event(struct watch *watch, short events)
{
	struct session *session = container_of(watch, struct session, watch);
	size_t offset = (size_t)session->handler_data;
	size_t most = PERIODS * PERIOD - PERIOD;

	(void)events;
	handler_note_traffic(session);
	for (int writes = 0; writes < WRITES_PER_TURN; writes++) {
		ssize_t sent =
			send(session->fd, characters() + offset, most, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (sent < 0) {
			handler_finish_unsent(session, errno);
			return;
		}
		offset = (offset + (size_t)sent) % PERIOD;
	}
	session->handler_data = (void *)offset;
}

static void chargen_start(struct session *session)
{
	handler_begin(session);
	handler_note_traffic(session);
	watch_init(&session->watch, session->fd, on_event);
	if (watch_start(&session->watch, LOOP_WRITE) < 0)
		handler_finish(session);
}

static size_t chargen_answer(const unsigned char *request, size_t length, unsigned char *answer,
			     size_t size)
{
	size_t wanted = size < ANSWER ? size : ANSWER;

	(void)request;
	(void)length;
	memcpy(answer, characters(), wanted);
	return wanted;
}

const struct handler chargen_handler = {
	.name = "chargen",
	.start = chargen_start,
	.answer = chargen_answer,
};
