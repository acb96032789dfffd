#include "frontend/service.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/log_file.h"
#include "base/resolver.h"
#include "base/sink.h"
#include "config/generation.h"
#include "frontend/filter_hosts.h"
#include "frontend/handover.h"
#include "frontend/intercept.h"
#include "session/folds.h"
#include "session/record.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service_list services = TAILQ_HEAD_INITIALIZER(services);

/* --- where to listen -------------------------------------------------------------------- */

/* A name in bind whose addresses are being looked up. */
struct bind_lookup {
	LIST_ENTRY(bind_lookup) link;
	struct service *service;
	struct lookup *lookup;
	struct timer retry;
	const char *name; /* the settings' */
};

static struct listener *find_listener(struct service *service, const struct endpoint *endpoint)
{
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener->is_inner && endpoint_equal(&listener->endpoint, endpoint))
			return listener;
	return NULL;
}

/* True when a socket may be opened now. */
static bool may_open(const struct service *service)
{
	return !service->is_suspended && !service->is_settling && !handover_is_under_way();
}

/* Has the service listen on endpoint, on the socket it has there already, on one
 * that another gives up, or on a new one. */
static void want_endpoint(struct service *service, const struct endpoint *endpoint)
{
	struct listener *listener = find_listener(service, endpoint);

	if (!listener)
		listener = handover_take(service, endpoint);
	if (!listener) {
		listener = listener_new(service, endpoint);
		if (!listener) {
			log_error("service %s: out of memory", service->settings->id);
			return;
		}
		LIST_INSERT_HEAD(&service->listeners, listener, link);
	}
	listener->is_wanted = true;
	if (!listener_is_open(listener) && may_open(service))
		listener_open(listener);
}

static void want_address(struct service *service, const struct address *address)
{
	struct endpoint endpoint = {
		.address = *address,
		.v6only = service->settings->v6only && address->any.sa_family == AF_INET6,
	};

	address_set_port(&endpoint.address, (uint16_t)service->settings->port);
	want_endpoint(service, &endpoint);
}

/* The family that flags ask for; AF_UNSPEC: either. */
static int wanted_family(const struct service_settings *settings)
{
	switch (settings->flags & (FLAG_IPV4 | FLAG_IPV6)) {
	case FLAG_IPV4:
		return AF_INET;
	case FLAG_IPV6:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

/* Without bind: every address, of both families unless the flags say IPv4. */
static void want_any_address(struct service *service)
{
	bool ipv4 = wanted_family(service->settings) == AF_INET;
	struct address address;

	if (address_parse(&address, ipv4 ? "0.0.0.0" : "::", 0) == 0)
		want_address(service, &address);
}

/* Closes what the settings no longer ask for. */
static void sweep_listeners(struct service *service)
{
	struct listener *listener, *next;

	for (listener = LIST_FIRST(&service->listeners); listener; listener = next) {
		next = LIST_NEXT(listener, link);
		if (listener->is_wanted)
			continue;
		LIST_REMOVE(listener, link);
		listener_free(listener);
	}
}

/* All names in bind are known. What was listened on before may have been in the
 * way of what is wanted now. */
static void finish_lookups(struct service *service)
{
	struct listener *listener;

	sweep_listeners(service);
	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener_is_open(listener) && may_open(service))
			listener_open(listener);
}

enum { LOOKUP_RETRY_MS = 10000 };

static void on_bind_looked_up(void *context, const struct address *addresses, size_t count,
			      const char *reason)
{
	struct bind_lookup *pending = context;
	struct service *service = pending->service;

	pending->lookup = NULL;
	if (count == 0) {
		log_error("bind failed. service = %s, address = %s: %s; trying again",
			  service->settings->id, pending->name, reason);
		timer_start(&pending->retry, LOOKUP_RETRY_MS);
		return;
	}
	LIST_REMOVE(pending, link);
	free(pending);
	service->is_settling = LIST_EMPTY(&service->lookups);
	for (size_t i = 0; i < count; i++)
		want_address(service, &addresses[i]);
	service->is_settling = false;
	if (LIST_EMPTY(&service->lookups))
		finish_lookups(service);
}

static void look_up_bind(struct timer *timer)
{
	struct bind_lookup *pending = container_of(timer, struct bind_lookup, retry);

	pending->lookup = lookup_addresses(pending->name, wanted_family(pending->service->settings),
					   on_bind_looked_up, pending);
	if (!pending->lookup)
		timer_start(&pending->retry, LOOKUP_RETRY_MS);
}

static void want_name(struct service *service, const char *name)
{
	struct bind_lookup *pending = calloc(1, sizeof *pending);

	if (!pending) {
		log_error("service %s: out of memory", service->settings->id);
		return;
	}
	pending->service = service;
	pending->name = name;
	timer_init(&pending->retry, look_up_bind);
	LIST_INSERT_HEAD(&service->lookups, pending, link);
	look_up_bind(&pending->retry);
}

static void cancel_lookups(struct service *service)
{
	while (!LIST_EMPTY(&service->lookups)) {
		struct bind_lookup *pending = LIST_FIRST(&service->lookups);

		LIST_REMOVE(pending, link);
		if (pending->lookup)
			lookup_cancel(pending->lookup);
		timer_stop(&pending->retry);
		free(pending);
	}
}

static bool has_own_socket(const struct service_settings *settings)
{
	return !service_is_multiplexed(settings);
}

/* INTERCEPT: the socket that the server of a stream service gets. */
static void want_inner(struct service *service)
{
	struct endpoint endpoint = { .v6only = false };
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (listener->is_inner) {
			listener->is_wanted = true;
			return;
		}
	if (address_parse(&endpoint.address, "127.0.0.1", 0) < 0 ||
	    !(listener = listener_new(service, &endpoint)))
		return;
	listener->is_inner = listener->is_wanted = true;
	LIST_INSERT_HEAD(&service->listeners, listener, link);
	if (may_open(service))
		listener_open(listener);
}

/* INTERCEPT: the kernel goes by the lists there are now. */
static void update_filters(struct service *service)
{
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (listener->refused.fd >= 0 &&
		    intercept_update(listener->refused.fd, service) < 0) {
			log_failure(errno, "service %s: INTERCEPT", service->settings->id);
			listener_close(listener); /* nobody rather than anybody */
		}
}

static void on_filter_hosts(void *context)
{
	update_filters(context);
}

static void look_up_filter_hosts(struct service *service)
{
	struct filter_hosts *old = service->filter_hosts;

	service->filter_hosts = NULL;
	if (intercepts_datagrams(service->settings))
		service->filter_hosts = filter_hosts_new(service->settings, on_filter_hosts,
							 service);
	filter_hosts_inherit(service->filter_hosts, old);
	filter_hosts_free(old);
}

static void want_all(struct service *service)
{
	const struct strings *bind = &service->settings->bind;
	struct address address;

	if (!has_own_socket(service->settings))
		return;
	if (intercepts_streams(service->settings))
		want_inner(service);
	if (bind->count == 0)
		want_any_address(service);
	for (size_t i = 0; i < bind->count; i++) {
		if (address_parse(&address, bind->list[i], 0) == 0)
			want_address(service, &address);
		else
			want_name(service, bind->list[i]);
	}
}

/* Mark and sweep: what the settings ask for is there before the rest goes. */
static void update_listeners(struct service *service)
{
	struct listener *listener;

	cancel_lookups(service);
	LIST_FOREACH(listener, &service->listeners, link)
		listener->is_wanted = false;
	want_all(service);
	/* A name's addresses are not known yet: all stay until they are. */
	if (LIST_EMPTY(&service->lookups))
		sweep_listeners(service);
}

static void close_listeners(struct service *service)
{
	struct listener *listener;

	while ((listener = LIST_FIRST(&service->listeners))) {
		LIST_REMOVE(listener, link);
		listener_free(listener);
	}
}

/* --- state --------------------------------------------------------------------------------- */

bool service_is_full(const struct service *service)
{
	return service->settings->at_limit == AT_LIMIT_QUEUE &&
	       service->running >= service->settings->instances;
}

bool service_has_names_to_look_up(const struct service *service)
{
	return !LIST_EMPTY(&service->lookups);
}

bool service_is_looking_up(const struct service *service)
{
	const struct bind_lookup *pending;

	LIST_FOREACH(pending, &service->lookups, link)
		if (pending->lookup)
			return true;
	return filter_hosts_are_new(service->filter_hosts);
}

bool service_is_bound(const struct service *service)
{
	const struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener_is_open(listener))
			return false;
	return !service_has_names_to_look_up(service);
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

void service_suspend(struct service *service)
{
	struct listener *listener;

	if (service->is_suspended)
		return;
	log_error("Deactivating service %s due to excessive incoming connections.  "
		  "Restarting in %u seconds.", service->settings->id, service->settings->cps.other);
	service->is_suspended = true;
	LIST_FOREACH(listener, &service->listeners, link)
		listener_close(listener);
	timer_start(&service->resume, (uint64_t)service->settings->cps.other * 1000);
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

struct sources *service_sources(struct service *service)
{
	if (!service->sources)
		service->sources = sources_new();
	return service->sources;
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
	look_up_filter_hosts(service);
	share_join(descriptors_shares(), &service->descriptors);
	update_listeners(service);
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
	return session->state == SESSION_ARRIVING;
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
	struct bind_lookup *pending;

	service->number = number;
	LIST_FOREACH(pending, &service->lookups, link)
		for (size_t i = 0; i < settings->bind.count; i++)
			if (pending->name == old->bind.list[i])
				pending->name = settings->bind.list[i];
	service->settings = service_settings_keep(settings);
	move_sessions(service, old, settings, true);
	if (service->filter_hosts) /* they hold names of the old ones */
		look_up_filter_hosts(service);
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
	cancel_lookups(service); /* they hold names of the old settings */
	if (needs_new_sockets(old, settings))
		close_listeners(service);
	service->settings = service_settings_keep(settings);
	service->handler = handler_for(settings);
	move_sessions(service, old, settings, false);
	look_up_filter_hosts(service);
	update_filters(service);
	update_listeners(service);
	service_refresh(service);
	service_settings_release(old);
	return true;
}

void service_free(struct service *service)
{
	cancel_lookups(service);
	close_listeners(service);
	timer_stop(&service->resume);
	TAILQ_REMOVE(&services, service, link);
	share_leave(descriptors_shares(), &service->descriptors);
	sources_free(service->sources);
	sources_free(service->arrivals);
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

	cancel_lookups(service);
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
	cancel_lookups(service);
	close_listeners(service);
	timer_stop(&service->resume);
	end_sessions(service, !drains);
	if (LIST_EMPTY(&service->sessions)) {
		service_free(service);
		return;
	}
	keep_settings(service);
	service->is_draining = true; /* the last session frees it */
}
