#include "frontend/service.h"

#include "admission/intercept.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/sink.h"
#include "config/generation.h"
#include "frontend/filter_hosts.h"
#include "frontend/listening.h"
#include "session/folds.h"
#include "session/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service_list services = TAILQ_HEAD_INITIALIZER(services);

/* --- state --------------------------------------------------------------------------------- */

bool service_is_full(const struct service *service)
{
	return service->settings->at_limit == AT_LIMIT_QUEUE &&
	       quota_judge_instances(&service->quota, service->settings) != ADMITTED;
}

bool service_is_bound(const struct service *service)
{
	const struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener_is_open(listener))
			return false;
	return !listening_awaits_names(service);
}

static bool all_sockets_are_with_servers(const struct service *service)
{
	const struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener->server)
			return false;
	return !LIST_EMPTY(&service->listeners);
}

enum service_state service_state(const struct service *service)
{
	if (service->is_draining)
		return SERVICE_DRAINING;
	if (service->is_suspended)
		return SERVICE_SUSPENDED;
	if (!service_is_bound(service))
		return SERVICE_RETRYING;
	if (all_sockets_are_with_servers(service))
		return SERVICE_WAITING;
	if (service_is_full(service))
		return SERVICE_FULL;
	return service->is_throttled ? SERVICE_THROTTLED : SERVICE_LISTENING;
}

const char *service_state_text(enum service_state state)
{
	static const char *const texts[] = {
		[SERVICE_LISTENING] = "listening", [SERVICE_FULL] = "full",
		[SERVICE_THROTTLED] = "throttled", [SERVICE_SUSPENDED] = "suspended",
		[SERVICE_WAITING] = "waiting",     [SERVICE_RETRYING] = "retrying",
		[SERVICE_DRAINING] = "draining",
	};

	return texts[state];
}

void service_refresh(struct service *service)
{
	bool wanted = !service->is_throttled && !service_is_full(service);
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		listener_set_polled(listener, wanted && !listener->server);
}

static void on_resume(struct timer *timer)
{
	struct service *service = container_of(timer, struct service, resume);
	struct listener *listener;

	service->is_throttled = false;
	if (service->is_suspended) {
		service->is_suspended = false;
		service->is_resuming = true;
		LIST_FOREACH(listener, &service->listeners, link)
			listener_open(listener);
	}
	service_refresh(service);
}

void service_bound(struct service *service)
{
	if (service->is_resuming && service_is_bound(service)) {
		service->is_resuming = false;
		log_error("Activating service %s", service->settings->id);
	}
	service_refresh(service);
}

void service_suspend(struct service *service, uint64_t milliseconds)
{
	struct listener *listener;

	if (service->is_suspended)
		return;
	log_error("Deactivating service %s due to excessive incoming connections.  "
		  "Restarting in %u seconds.", service->settings->id, (unsigned)(milliseconds / 1000));
	service->is_suspended = true;
	LIST_FOREACH(listener, &service->listeners, link)
		listener_close(listener);
	timer_start(&service->resume, milliseconds);
}

void service_throttle(struct service *service, uint64_t milliseconds)
{
	service->is_throttled = true;
	timer_start(&service->resume, milliseconds);
	service_refresh(service);
}

struct turn_owner service_turn_owner(const struct service *service)
{
	return (struct turn_owner){ .service = (uintptr_t)service,
				    .lengths = service->settings->source_prefix };
}

/* Itself, where it is passed on to, and the ident server of its peer. */
unsigned service_descriptors_per_session(const struct service *service)
{
	const struct service_settings *settings = service->settings;
	bool is_passed_on = settings->redirect_host || intercepts_streams(settings);
	bool is_identified = settings->log_on_success & LOG_FLAG_USERID;

	return 1 + is_passed_on + is_identified;
}

void service_count_refusal(struct service *service, enum verdict verdict)
{
	if (!service->failures)
		service->failures = calloc(1, sizeof *service->failures);
	if (service->failures)
		service->failures->refused[verdict]++;
}

static void note_failure(struct service *service, enum verdict verdict,
			 const struct address *peer, const char *detail)
{
	struct failures *failures = service->failures;
	char text[ADDRESS_TEXT_SIZE];

	if (!failures)
		return;
	failures->last_time = loop_wall_clock();
	snprintf(failures->last, sizeof failures->last, "%s, from %s%s%s", verdict_text(verdict),
		 address_text(peer, text), detail ? ": " : "", detail ? detail : "");
}

enum { FOLD_MS = 1000, FOLD_DATAGRAMS_MS = 60000 };

/* For how long refusals of one source are one line. Unless told otherwise those are
 * that can come as fast as one likes; senders of datagrams once a minute, as xinetd
 * has it. */
static uint64_t fold_window(const struct service_settings *settings, enum verdict verdict)
{
	if (settings->fold_failures >= 0)
		return (uint64_t)settings->fold_failures * 1000;
	if (verdict == REFUSED_SOURCE_RATE || verdict == REFUSED_RATE ||
	    verdict == REFUSED_BANNED)
		return FOLD_MS;
	return verdict == REFUSED_ADDRESS && !service_is_stream(settings) ? FOLD_DATAGRAMS_MS : 0;
}

static void write_folded(void *context, enum verdict verdict, const struct address *peer,
			 uint64_t count)
{
	const struct service *service = context;

	record_failures(service->settings, service->log, verdict, peer, count);
}

static bool is_folded(struct service *service, enum verdict verdict, const struct address *peer)
{
	uint64_t window = fold_window(service->settings, verdict);

	if (window == 0 || !service->settings->log_on_failure)
		return false;
	if (!service->folds)
		service->folds = folds_new(write_folded, service);
	return service->folds && !folds_begin(service->folds, verdict, peer,
					      service->settings->source_prefix, window);
}

bool service_refused(struct service *service, enum verdict verdict, const struct address *peer,
		     const char *detail)
{
	service_count_refusal(service, verdict);
	note_failure(service, verdict, peer, detail);
	if (detail)
		log_error("service %s: %s", service->settings->id, detail);
	if (is_folded(service, verdict, peer))
		return false;
	record_fail(service->settings, service->log, verdict, peer);
	return true;
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* The sink that settings ask for; NULL: the daemon's own log, or, with *failed
 * set, one that can't be opened. */
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

struct service *service_start(struct service_settings *settings, uint32_t number)
{
	struct service *service = calloc(1, sizeof *service);
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
	LIST_INIT(&service->listeners);
	LIST_INIT(&service->sessions);
	LIST_INIT(&service->lookups);
	timer_init(&service->resume, on_resume);
	TAILQ_INSERT_TAIL(&services, service, link);
	listening_look_up_filter_hosts(service);
	share_join(descriptors_shares(), &service->descriptors);
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

/* True when the sockets that can't be handed over, those of INTERCEPT and RPC, can't
 * be kept either. */
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

/* Who is on the way is judged and served by the new settings; who is served already
 * keeps what was. */
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
		if (!wanted) /* no memory: it keeps the whole generation */
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
	listening_cancel_lookups(service); /* they hold names of the old settings */
	if (needs_new_sockets(old, settings))
		listening_close(service);
	service->settings = service_settings_keep(settings);
	service->handler = handler_for(settings);
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
	TAILQ_REMOVE(&services, service, link);
	share_leave(descriptors_shares(), &service->descriptors);
	quota_clear(&service->quota);
	filter_hosts_free(service->filter_hosts);
	folds_free(service->folds);
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
	LIST_FOREACH(listener, &service->listeners, link)
		listener_close(listener);
}

/* All of them, or those that are not served yet: there is nothing left to serve them. */
static void end_sessions(struct service *service, bool all)
{
	struct session *session, *next;

	for (session = LIST_FIRST(&service->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (all || is_on_its_way(session))
			session_end(session);
	}
}

/* Its settings go with their generation. */
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
	end_sessions(service, !drains);
	if (LIST_EMPTY(&service->sessions)) {
		service_free(service);
		return;
	}
	keep_settings(service);
	service->is_draining = true; /* the last session frees it */
}
