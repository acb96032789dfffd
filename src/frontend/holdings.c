#include "frontend/holdings.h"

#include "admission/intercept.h"
#include "base/clock.h"
#include "frontend/lending.h"
#include "frontend/lifecycle.h"
#include "frontend/pending.h"
#include "frontend/totals.h"
#include "handlers/launch.h"
#include "handlers/linger.h"

#include <unistd.h>

static unsigned idents, idents_max; /* ident requests for refused peers; -logprocs */

void holdings_init(unsigned ident_limit)
{
	idents_max = ident_limit;
}

void holdings_drop_pipe(struct session *session)
{
	if (session->has_pipe)
		share_give_back(launch_pipe_shares(), &session->service->pipes, 1);
	session->has_pipe = false;
}

/* A client of INTERCEPT is passed on to a server, which has the pipe. */
static bool logs_errors(const struct service_settings *settings, enum way way)
{
	return service_logs_errors(settings) &&
	       (way == WAY_SERVER || !intercepts_streams(settings));
}

/* A reload may have changed it since the session was opened. */
static void settle_pipe(struct session *session, bool has_pipe)
{
	has_pipe = has_pipe && session->service->pipes.has_joined;
	if (has_pipe && !session->has_pipe)
		share_take_anyway(launch_pipe_shares(), &session->service->pipes, 1);
	else if (!has_pipe)
		holdings_drop_pipe(session);
	session->has_pipe = has_pipe;
}

/* Gives back all but the `kept` that are still needed. */
static void keep_descriptors(struct session *session, unsigned kept)
{
	if (session->descriptors <= kept)
		return;
	share_give_back(descriptors_shares(), &session->service->descriptors,
			session->descriptors - kept);
	session->descriptors = kept;
}

void holdings_keep_program(struct session *session)
{
	bool keeps_connection = session->fd >= 0 && service_keeps_socket(session->settings);

	keep_descriptors(session,
			 session->has_pipe + keeps_connection + (session->settings->pty != PTY_NO));
}

void holdings_begin_launch(struct session *session)
{
	session->launched = clock_now();
	session->is_launching = share_take(launch_shares(), &session->service->launches, 1);
	settle_pipe(session, logs_errors(session->settings, session->way));
}

static void end_launching(struct session *session)
{
	if (session->is_launching)
		share_give_back(launch_shares(), &session->service->launches, 1);
	session->is_launching = false;
}

static void on_started(struct session *session)
{
	end_launching(session);
	session->service->started++;
	session->has_begun = true;
	totals_session_begun(session);
	if (session->pid > 0)
		holdings_keep_program(session);
}

/* The client, or the balancer that has not named it yet. */
static const struct address *known_peer(const struct session *session)
{
	return address_is_known(&session->peer) ? &session->peer : &session->proxy;
}

static void on_failed(struct session *session, enum verdict verdict, const char *detail)
{
	struct refusal refusal = {
		.verdict = verdict,
		.peer = known_peer(session),
		.session = session,
	};

	service_refused(session->service, &refusal, detail);
}

void holdings_end_pending(struct session *session)
{
	quota_pend_end(&session->service->quota, session->pending_source);
	session->pending_source = NULL;
}

void holdings_count(struct session *session)
{
	struct service *service = session->service;

	session->is_counted = true;
	session->source = quota_run(&service->quota, service->settings, &session->peer);
	if (service_is_full(service))
		service_refresh(service);
}

void holdings_uncount(struct session *session)
{
	if (!session->is_counted)
		return;
	session->is_counted = false;
	quota_run_end(&session->service->quota, session->source);
	session->source = NULL;
	if (session->service->settings->admission->at_limit == AT_LIMIT_QUEUE)
		service_refresh(session->service);
}

/* Only the connection is left, which is being closed. */
static void on_served(struct session *session)
{
	keep_descriptors(session, 1);
	holdings_drop_pipe(session);
	holdings_uncount(session);
}

bool holdings_take_ident(struct session *session)
{
	if (idents >= idents_max)
		return false;
	idents++;
	session->is_being_named = true;
	return true;
}

void holdings_end_ident(struct session *session)
{
	if (session->is_being_named)
		idents--;
	session->is_being_named = false;
}

static void on_closed(struct session *session)
{
	struct service *service = session->service;

	LIST_REMOVE(session, link);
	service->received += session->received;
	service->sent += session->sent;
	totals_session_over(session);
	keep_descriptors(session, 0);
	holdings_drop_pipe(session);
	end_launching(session);
	holdings_end_ident(session);
	if (session->state == SESSION_PENDING)
		holdings_end_pending(session);
	holdings_uncount(session);
	if (session->origin)
		lending_end(session);
	if (service->is_draining && LIST_EMPTY(&service->sessions))
		service_free(service);
}

static const struct session_owner session_owner = {
	.started = on_started,
	.failed = on_failed,
	.served = on_served,
	.let_go = holdings_keep_program,
	.closed = on_closed,
};

/* How many connections may be closed early for a new one. */
enum { ROOM_MAX = 4 };

/* Takes the descriptors of one connection from its service's share. Connections that are only
 * being closed make room. */
static bool take_descriptors(struct service *service)
{
	for (int i = 0; i <= ROOM_MAX; i++)
		if (share_take(descriptors_shares(), &service->descriptors,
			       service_descriptors_per_session(service)))
			return true;
		else if (!linger_make_room(service))
			return false;
	return false;
}

static bool has_room_for_pipe(struct service *service, enum way way)
{
	return !logs_errors(service->settings, way) ||
	       share_allows(launch_pipe_shares(), &service->pipes, 1);
}

static struct session *open_session(struct service *service, int fd, const struct address *peer,
				    const struct address *source, enum way way,
				    enum verdict *verdict)
{
	struct session *session;

	*verdict = quota_judge_pending(&service->quota, service->settings, source);
	if (*verdict == ADMITTED &&
	    (!has_room_for_pipe(service, way) || !take_descriptors(service)))
		*verdict = REFUSED_DESCRIPTORS;
	if (*verdict != ADMITTED)
		return NULL;
	session = session_open(service->settings, service->log, fd, peer, &session_owner);
	if (!session) {
		share_give_back(descriptors_shares(), &service->descriptors,
				service_descriptors_per_session(service));
		*verdict = REFUSED_MEMORY;
	}
	return session;
}

static void enter_service(struct session *session, struct service *service,
			  const struct address *source, enum way way)
{
	session->service = service;
	session->way = way;
	session->descriptors = service_descriptors_per_session(service);
	session->pending_source = quota_pend(&service->quota, service->settings, source);
	LIST_INSERT_HEAD(&service->sessions, session, link);
	pending_limit(session);
}

struct session *holdings_open(struct service *service, int fd, const struct address *peer,
			      const struct address *source, enum way way)
{
	enum verdict verdict;
	struct session *session = open_session(service, fd, peer, source, way, &verdict);

	if (!session) {
		close(fd);
		service_refused(service, &(struct refusal){ .verdict = verdict, .peer = peer },
				NULL);
		return NULL;
	}
	enter_service(session, service, source, way);
	settle_pipe(session, logs_errors(service->settings, way));
	return session;
}

struct session *holdings_resume(struct service *service, const struct address *peer, enum way way,
				bool has_pipe)
{
	struct session *session =
		session_open(service->settings, service->log, -1, peer, &session_owner);

	if (!session)
		return NULL;
	share_take_anyway(descriptors_shares(), &service->descriptors,
			  service_descriptors_per_session(service));
	enter_service(session, service, peer, way);
	settle_pipe(session, has_pipe);
	return session;
}
