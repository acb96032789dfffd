/* Handlers serve connections: the built-in services, redirect, and the start of a
 * program. */
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

/* Answers no datagram. */
size_t handler_no_answer(const unsigned char *request, size_t length, unsigned char *answer,
			 size_t size);

/* The largest datagram. */
enum { DATAGRAM_MAX = 65535 };

extern const struct handler echo_handler, discard_handler, chargen_handler, daytime_handler,
	time_handler, launch_handler, redirect_handler, sensor_handler, tcpmux_handler;

/* For the start of a simple handler: sends one answer and closes. */
void handler_answer_and_close(struct session *session);

/* The session is being served: sets its state, tells the owner, writes the START line.
 * One without session->end, which no program serves, gets handler_finish for it, also when
 * max_runtime is over. */
void handler_begin(struct session *session);

/* To be called for all traffic of a session: if there is an idle_timeout, the session is
 * finished unless this is called again within it. Uses session->deadline. */
void handler_note_traffic(struct session *session);

/* Writes the EXIT line of a session that the loop served itself, and closes. */
void handler_finish(struct session *session);

/* The same, but the connection is closed in order (linger.h). */
void handler_finish_in_order(struct session *session);

/* The same after sending failed with error: if the peer has closed the connection, the
 * line has SIGPIPE, as for a process. */
void handler_finish_unsent(struct session *session, int error);

#endif
