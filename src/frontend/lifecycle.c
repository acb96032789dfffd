#include "frontend/lifecycle.h"

#include "admission/intercept.h"
#include "admission/proofs.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/sink.h"
#include "config/generation.h"
#include "frontend/filter_hosts.h"
#include "frontend/listening.h"
#include "handlers/launch.h"
#include "session/folds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The log that settings name; NULL: the daemon's own, or, with *failed set, the log
 * can't be opened. */
static struct sink *open_log(const struct service_settings *settings, bool *failed)
{
	const struct log_type *log = &settings->log;
	struct sink *sink = NULL;

	*failed = false;
	if (log->kind == LOG_KIND_NONE)
		return NULL;
	if (log->kind == LOG_KIND_FILE)
		sink = sink_open_file(log->path, log->soft_limit, log->hard_limit,
				      log->is_common ? "common" : settings->id);
	else
		sink = sink_open_syslog(log->facility, log->level);
	if (!sink) {
		log_error("service %s: log file %s: %s", settings->id,
			  log->path ? log->path : "syslog",
			  log->path ? log_file_error() : strerror(errno));
		*failed = true;
	}
	return sink;
}

/* Others would have parts reserved for them that they never take. */
static void share_pipes(struct service *service)
{
	if (service_logs_errors(service->settings))
		share_join(launch_pipe_shares(), &service->pipes);
}

struct service *service_start(struct service_settings *settings, uint32_t number)
{
	struct service *service = service_new();
	bool failed;

	if (!service) {
		log_error("service %s: out of memory", settings->id);
		return NULL;
	}
	service->log = open_log(settings, &failed);
	if (failed) {
		free(service);
		return NULL;
	}
	service->settings = service_settings_keep(settings);
	service->number = number;
	service->handler = handler_for(settings);
	TAILQ_INSERT_TAIL(&services, service, link);
	listening_look_up_filter_hosts(service);
	share_join(descriptors_shares(), &service->descriptors);
	share_join(launch_shares(), &service->launches);
	share_pipes(service);
	listening_update(service);
	return service;
}

static bool has_other_program(const struct service_settings *one,
			      const struct service_settings *other)
{
	return (one->types & TYPE_RPC) != (other->types & TYPE_RPC) ||
	       one->rpc_number != other->rpc_number ||
	       one->rpc_version_first != other->rpc_version_first ||
	       one->rpc_version_last != other->rpc_version_last;
}

/* True when sockets of INTERCEPT and RPC, which are never handed over, can't be kept
 * either. */
static bool needs_new_sockets(const struct service_settings *one,
			      const struct service_settings *other)
{
	const unsigned socket_flags = FLAG_NODELAY | FLAG_KEEPALIVE | FLAG_INTERCEPT;

	return one->socket_type != other->socket_type ||
	       one->protocol_number != other->protocol_number ||
	       service_waits(one) != service_waits(other) ||
	       service_is_internal(one) != service_is_internal(other) ||
	       has_other_program(one, other) ||
	       (one->flags & socket_flags) != (other->flags & socket_flags);
}

static bool is_on_its_way(const struct session *session)
{
	return session->state == SESSION_PENDING;
}

/* Pending sessions get the new settings; those that are served keep the old ones. */
static void move_sessions(struct service *service, struct service_settings *old,
			  struct service_settings *settings, bool unchanged)
{
	struct service_settings *copy = NULL, *wanted;
	struct session *session;

	LIST_FOREACH(session, &service->sessions, link) {
		if (session->settings != old)
			continue;
		if (!unchanged && !is_on_its_way(session) && !copy)
			copy = service_settings_copy(old);
		wanted = unchanged || is_on_its_way(session) ? settings : copy;
		if (!wanted) /* no memory: the session keeps the old generation alive */
			continue;
		session->settings = service_settings_keep(wanted);
		service_settings_release(old);
	}
	service_settings_release(copy);
}

void service_move(struct service *service, struct service_settings *settings, uint32_t number)
{
	struct service_settings *old = service->settings;

	service->number = number;
	service->settings = service_settings_keep(settings);
	listening_use_settings(service);
	listening_move(service, old);
	move_sessions(service, old, settings, true);
	service_settings_release(old);
}

bool service_adopt(struct service *service, struct service_settings *settings, uint32_t number)
{
	struct service_settings *old = service->settings;
	bool failed;
	struct sink *log = open_log(settings, &failed);

	service->number = number;
	if (failed)
		return false;
	sink_release(service->log);
	service->log = log;
	listening_cancel_lookups(service); /* their names belong to the old settings */
	if (needs_new_sockets(old, settings))
		listening_close(service);
	service->settings = service_settings_keep(settings);
	service->handler = handler_for(settings);
	share_pipes(service);
	listening_use_settings(service);
	move_sessions(service, old, settings, false);
	listening_look_up_filter_hosts(service);
	listening_update_filters(service);
	listening_update(service);
	service_refresh(service);
	service_settings_release(old);
	return true;
}

void service_free(struct service *service)
{
	listening_cancel_lookups(service);
	listening_close(service);
	timer_stop(&service->resume);
	timer_stop(&service->pause);
	TAILQ_REMOVE(&services, service, link);
	share_leave(descriptors_shares(), &service->descriptors);
	share_leave(launch_shares(), &service->launches);
	share_leave(launch_pipe_shares(), &service->pipes);
	quota_clear(&service->quota);
	filter_hosts_free(service->filter_hosts);
	folds_free(service->folds);
	proofs_free(service->proofs);
	free(service->failures);
	sink_release(service->log);
	service_settings_release(service->settings);
	free(service);
}

void service_stop_listening(struct service *service)
{
	struct listener *listener;

	listening_cancel_lookups(service);
	timer_stop(&service->resume);
	timer_stop(&service->pause);
	LIST_FOREACH(listener, &service->listeners, link)
		listener_close(listener);
}

/* Ends all sessions, or only the pending ones, which would not be served any more. */
static void end_sessions(struct service *service, bool all)
{
	struct session *session, *next;

	for (session = LIST_FIRST(&service->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (all || is_on_its_way(session))
			session_end(session, END_RELOAD);
	}
}

/* Copies the settings: their generation is about to be freed. */
static void keep_settings(struct service *service)
{
	struct service_settings *old = service->settings, *copy = service_settings_copy(old);

	if (!copy)
		return;
	service->settings = copy;
	move_sessions(service, old, copy, true);
	service_settings_release(old);
}

void service_remove(struct service *service)
{
	bool drains = service->settings->on_remove == ON_REMOVE_DRAIN;

	service->number = SERVICE_IS_NEW;
	listening_cancel_lookups(service);
	listening_close(service);
	timer_stop(&service->resume);
	timer_stop(&service->pause);
	end_sessions(service, !drains);
	if (LIST_EMPTY(&service->sessions)) {
		service_free(service);
		return;
	}
	keep_settings(service);
	service->is_draining = true; /* the last session frees it */
}
