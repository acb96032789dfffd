#include "handlers/handler.h"

#include "base/container_of.h"
#include "handlers/linger.h"
#include "session/record.h"

#include <errno.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>

static const struct handler *const built_ins[] = {
	&echo_handler,    &discard_handler, &chargen_handler,
	&daytime_handler, &time_handler,    &tcpmux_handler,
};

static const struct handler *find_built_in(const char *name, int socket_type)
{
	for (size_t i = 0; i < sizeof built_ins / sizeof built_ins[0]; i++) {
		const struct handler *handler = built_ins[i];

		if (strcasecmp(handler->name, name) == 0 &&
		    ((socket_type == SOCK_STREAM && handler->start) ||
		     (socket_type == SOCK_DGRAM && handler->answer)))
			return handler;
	}
	return NULL;
}

bool handler_is_built_in(const char *name, int socket_type)
{
	return find_built_in(name, socket_type) != NULL;
}

const struct handler *handler_for(const struct service_settings *settings)
{
	if (settings->flags & FLAG_SENSOR)
		return &sensor_handler;
	if (service_is_internal(settings))
		return find_built_in(settings->name, settings->socket_type);
	if (settings->redirect_host)
		return &redirect_handler;
	return &launch_handler;
}

size_t handler_no_answer(const unsigned char *request, size_t length, unsigned char *answer,
			 size_t size)
{
	(void)request;
	(void)length;
	(void)answer;
	(void)size;
	return 0;
}

/* A session that the loop serves has no process to wait for. */
static void end(struct session *session, bool at_once)
{
	(void)at_once;
	handler_finish(session);
}

static void on_runtime_over(struct timer *timer)
{
	session_end(container_of(timer, struct session, runtime), END_MAX_RUNTIME);
}

/* The monitor limits the runtime of programs. */
static void serve_in_loop(struct session *session)
{
	uint64_t seconds = (uint64_t)session->settings->max_runtime;

	session->end = end;
	timer_init(&session->runtime, on_runtime_over);
	if (seconds > 0)
		timer_start(&session->runtime, 1000 * seconds);
}

void handler_begin(struct session *session)
{
	if (!session->end)
		serve_in_loop(session);
	session_enter(session, SESSION_SERVING);
	session->owner->started(session);
	record_start(session);
	if (session->user && (session->settings->log_on_success & LOG_FLAG_USERID))
		record_userid(session, session->user);
}

void handler_answer_and_close(struct session *session)
{
	unsigned char answer[64];
	size_t length = handler_for(session->settings)->answer(NULL, 0, answer, sizeof answer);

	handler_begin(session);
	/* One line always fits into the buffer of a new connection. Data of the peer is
	 * read first: if a connection with unread data is closed, TCP resets it, and the
	 * answer can be lost. */
	if (session_write(session, answer, length) == 0)
		recv(session->fd, NULL, INT_MAX, MSG_TRUNC | MSG_DONTWAIT);
	session_close(session);
}

static void finish_with(struct session *session, int status)
{
	record_exit(session, status);
	session_close(session);
}

void handler_finish(struct session *session)
{
	finish_with(session, 0);
}

void handler_finish_in_order(struct session *session)
{
	int seconds = session->settings->lingering_close;

	record_exit(session, 0);
	session_served(session);
	session_linger(session, (uint64_t)(seconds ? seconds : LINGERING_CLOSE_YES) * 1000);
}

static void on_idle(struct timer *timer)
{
	session_end(container_of(timer, struct session, deadline), END_IDLE_TIMEOUT);
}

void handler_note_traffic(struct session *session)
{
	int seconds = session->settings->idle_timeout;

	if (seconds == 0)
		return;
	if (!timer_is_pending(&session->deadline))
		timer_init(&session->deadline, on_idle);
	timer_start(&session->deadline, (uint64_t)seconds * 1000);
}

void handler_finish_unsent(struct session *session, int error)
{
	finish_with(session, error == EPIPE ? SIGPIPE : 0);
}
