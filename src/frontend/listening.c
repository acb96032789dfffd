#include "frontend/listening.h"

#include "base/container_of.h"
#include "base/log.h"
#include "base/resolver.h"
#include "frontend/filter_hosts.h"
#include "frontend/handover.h"
#include "frontend/intercept.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

/* A name in bind whose addresses are being looked up. */
struct bind_lookup {
	LIST_ENTRY(bind_lookup) link;
	struct service *service;
	struct lookup *lookup;
	struct timer retry;
	const char *name; /* owned by the settings */
};

struct listener *listening_find(const struct service *service, const struct endpoint *endpoint,
				bool is_inner)
{
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (listener->is_inner == is_inner &&
		    (is_inner || endpoint_equal(&listener->endpoint, endpoint)))
			return listener;
	return NULL;
}

/* True when a socket may be opened now. */
static bool may_open(const struct service *service)
{
	return !service->is_suspended && !service->is_settling && !handover_is_under_way();
}

/* Has the service listen on endpoint: on its own socket there, on one that another
 * service hands over, or on a new one. */
static void want_endpoint(struct service *service, const struct endpoint *endpoint)
{
	struct listener *listener = listening_find(service, endpoint, false);

	if (!listener)
		listener = handover_take(service, endpoint);
	if (!listener) {
		listener = listener_new(service, service->settings, endpoint);
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

/* The family that the flags allow; AF_UNSPEC: both. */
static int wanted_family(const struct service_settings *settings)
{
	unsigned allowed = service_allowed_families(settings);

	return allowed == FLAG_IPV4 ? AF_INET : allowed == FLAG_IPV6 ? AF_INET6 : AF_UNSPEC;
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

/* All names in bind are known. Closes the old sockets first: they may block the ports
 * of the new ones. */
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
		log_state(LOG_ERR, service->settings->id, "waiting",
			  "bind failed. service = %s, address = %s: %s; trying again",
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

void listening_cancel_lookups(struct service *service)
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

/* INTERCEPT: the socket that the server of a stream service gets. */
static void want_inner(struct service *service)
{
	struct endpoint endpoint = { .v6only = false };
	struct listener *listener = listening_find(service, &endpoint, true);

	if (listener) {
		listener->is_wanted = true;
		return;
	}
	if (address_parse(&endpoint.address, "127.0.0.1", 0) < 0 ||
	    !(listener = listener_new(service, service->settings, &endpoint)))
		return;
	listener->is_inner = listener->is_wanted = true;
	LIST_INSERT_HEAD(&service->listeners, listener, link);
	if (may_open(service))
		listener_open(listener);
}

/* INTERCEPT: gives the kernel the current access lists. */
void listening_update_filters(struct service *service)
{
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (listener->refused.fd >= 0 &&
		    intercept_update(listener->refused.fd, service) < 0) {
			log_failure(errno, "service %s: INTERCEPT", service->settings->id);
			listener_close(listener); /* without a filter it would admit everybody */
		}
}

static void on_filter_hosts(void *context)
{
	listening_update_filters(context);
}

void listening_look_up_filter_hosts(struct service *service)
{
	struct filter_hosts *old = service->filter_hosts;

	service->filter_hosts = NULL;
	if (intercepts_datagrams(service->settings))
		service->filter_hosts =
			filter_hosts_new(service->settings, on_filter_hosts, service);
	filter_hosts_inherit(service->filter_hosts, old);
	filter_hosts_free(old);
}

static void want_all(struct service *service)
{
	const struct strings *bind = &service->settings->bind;
	struct address address;

	if (service_is_multiplexed(service->settings))
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

/* Mark and sweep: opens the sockets that the settings name, then closes the others. */
void listening_update(struct service *service)
{
	struct listener *listener;

	listening_cancel_lookups(service);
	LIST_FOREACH(listener, &service->listeners, link)
		listener->is_wanted = false;
	want_all(service);
	/* Otherwise finish_lookups does, when all names in bind are known. */
	if (LIST_EMPTY(&service->lookups))
		sweep_listeners(service);
}

void listening_close(struct service *service)
{
	struct listener *listener;

	while ((listener = LIST_FIRST(&service->listeners))) {
		LIST_REMOVE(listener, link);
		listener_free(listener);
	}
}

void listening_move(struct service *service, const struct service_settings *old)
{
	const struct strings *bind = &service->settings->bind;
	struct bind_lookup *pending;

	LIST_FOREACH(pending, &service->lookups, link)
		for (size_t i = 0; i < bind->count; i++)
			if (pending->name == old->bind.list[i])
				pending->name = bind->list[i];
	if (service->filter_hosts)
		listening_look_up_filter_hosts(service);
}

void listening_use_settings(struct service *service)
{
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		listener->settings = service->settings;
}

bool listening_is_looking_up(const struct service *service)
{
	const struct bind_lookup *pending;

	LIST_FOREACH(pending, &service->lookups, link)
		if (pending->lookup)
			return true;
	return filter_hosts_are_new(service->filter_hosts);
}
