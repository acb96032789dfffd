#include "session/session.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static size_t sessions;
static uint64_t last_serial;

struct session *session_open(struct service_settings *settings, struct sink *log, int fd,
			     const struct address *peer, const struct session_owner *owner)
{
	struct session *session = calloc(1, sizeof *session);

	if (!session)
		return NULL;
	session->settings = service_settings_keep(settings);
	session->log = log ? sink_keep(log) : NULL;
	session->owner = owner;
	session->fd = fd;
	session->peer = *peer;
	session->started = clock_wall();
	session->opened = clock_now();
	session->serial = ++last_serial;
	watch_init(&session->watch, fd, NULL);
	timer_init(&session->deadline, NULL);
	timer_init(&session->start, NULL);
	timer_init(&session->runtime, NULL);
	if (fd >= 0 && log_takes_facts(log))
		session_local(session);
	sessions++;
	return session;
}

void session_enter(struct session *session, enum session_state state)
{
	session->state = state;
}

const struct address *session_local(struct session *session)
{
	if (!address_is_known(&session->local))
		address_of_socket(session->fd, &session->local);
	return &session->local;
}

int session_take_fd(struct session *session)
{
	int fd = session->fd;

	watch_stop(&session->watch);
	session->fd = -1;
	return fd;
}

void session_served(struct session *session)
{
	if (session->stop)
		session->stop(session);
	session->stop = NULL;
	session->end = NULL;
	session->handler_data = NULL;
	timer_stop(&session->start);
	timer_stop(&session->runtime);
	session_enter(session, SESSION_CLOSING);
	session->owner->served(session);
}

void session_let_go(struct session *session)
{
	descriptor_close(session_take_fd(session));
	session->owner->let_go(session);
}

void session_close(struct session *session)
{
	if (session->stop)
		session->stop(session);
	watch_stop(&session->watch);
	timer_stop(&session->deadline);
	timer_stop(&session->start);
	timer_stop(&session->runtime);
	session->owner->closed(session);
	if (session->fd >= 0)
		close(session->fd);
	service_settings_release(session->settings);
	sink_release(session->log);
	outbox_clear(&session->unsent);
	free(session->user);
	free(session->facts);
	free(session);
	sessions--;
}

void session_fail(struct session *session, enum verdict verdict, const char *detail)
{
	session->owner->failed(session, verdict, detail);
	session_close(session);
}

static void end(struct session *session, bool at_once, enum end_reason reason)
{
	end_reason_note(&session->reason, reason);
	if (!session->end) {
		session_close(session);
		return;
	}
	if (session->state == SESSION_ENDING && !at_once)
		return;
	if (session->state == SESSION_SERVING)
		session_enter(session, SESSION_ENDING);
	session->end(session, at_once);
}

void session_end(struct session *session, enum end_reason reason)
{
	end(session, false, reason);
}

void session_kill(struct session *session, enum end_reason reason)
{
	end(session, true, reason);
}

int session_write(struct session *session, const void *bytes, size_t length)
{
	return outbox_send(&session->unsent, session->fd, bytes, length);
}

int session_flush(struct session *session)
{
	return outbox_flush(&session->unsent, session->fd);
}

const char *session_label(const struct session *session, char text[static SESSION_LABEL_SIZE])
{
	if (session->id.run)
		return session_id_text(session->id, text);
	snprintf(text, SESSION_LABEL_SIZE, "local-%" PRIu64, session->serial);
	return text;
}

size_t session_count(void)
{
	return sessions;
}
