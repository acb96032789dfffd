/* What answers: the built-in services, each a short file, and the program
 * launcher. */
#ifndef USHERD_HANDLERS_HANDLER_H
#define USHERD_HANDLERS_HANDLER_H

#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>

struct handler {
	const char *name;

	/* A stream session is the handler's from here on: it sets session->stop
	 * if it has something to free, and ends with session_close or
	 * session_fail. NULL: not for streams. */
	void (*start)(struct session *session);

	/* Answers one datagram. Returns the length of the answer, at most size;
	 * 0: none. NULL: not for datagrams. */
	size_t (*answer)(const unsigned char *request, size_t length, unsigned char *answer,
			 size_t size);
};

/* The handler that serves sessions of settings. NULL when there is none. */
const struct handler *handler_for(const struct service_settings *settings);

/* True when there is a built-in of that name for SOCK_STREAM or SOCK_DGRAM. */
bool handler_is_built_in(const char *name, int socket_type);

/* Largest datagram that can come or be sent. */
enum { DATAGRAM_MOST = 65535 };

extern const struct handler echo_handler, discard_handler, chargen_handler, daytime_handler,
	time_handler, launch_handler, redirect_handler, sensor_handler, tcpmux_handler;

/* The start of a brief handler: sends one answer and closes. */
void handler_answer_and_close(struct session *session);

/* Marks session as served: state, owner, START line. */
void handler_begin(struct session *session);

/* Something passed on a session that has begun: unless this is called again within
 * idle_timeout, if there is one, the session is finished. Its deadline is used for that. */
void handler_note_traffic(struct session *session);

/* Writes the EXIT line of a session that the loop served itself, and closes. */
void handler_finish(struct session *session);

/* The same after sending failed with error: on a connection that takes nothing any
 * more, the line has the signal that a process would have died of. */
void handler_finish_unsent(struct session *session, int error);

#endif
