#include "frontend/handover.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* A socket can be handed over when all of this is the same; padding is zero. */
struct socket_key {
	unsigned char host[16];
	int family, socket_type, protocol, v6only;
	uint32_t scope;
	uint16_t port;
};

struct offer {
	UT_hash_handle hh;
	struct socket_key key;
	struct listener *listener;
	struct service *owner;                 /* NULL: the owner is being removed */
	const struct service_settings *former; /* the owner's settings at the offer */
};

static struct offer *offers;
static bool is_under_way;

static struct socket_key key_of(const struct service_settings *settings,
				const struct endpoint *endpoint)
{
	const struct address *address = &endpoint->address;
	struct socket_key key;

	memset(&key, 0, sizeof key);
	key.family = address->any.sa_family;
	key.socket_type = settings->socket_type;
	key.protocol = settings->protocol_number;
	key.v6only = endpoint->v6only;
	key.port = address_port(address);
	key.scope = key.family == AF_INET6 ? address->in6.sin6_scope_id : 0;
	memcpy(key.host, prefix_of(address, 128).bytes, sizeof key.host);
	return key;
}

static bool offer_add(struct listener *listener, struct service *owner)
{
	struct offer *offer = calloc(1, sizeof *offer);

	if (!offer)
		return false;
	offer->key = key_of(listener->settings, &listener->endpoint);
	offer->listener = listener;
	offer->owner = owner;
	offer->former = listener->settings;
	HASH_ADD(hh, offers, key, sizeof offer->key, offer);
	if (offer->hh.tbl)
		return true;
	free(offer);
	return false;
}

static void offer_remove(struct offer *offer)
{
	HASH_DEL(offers, offer);
	free(offer);
}

/* Not handed over: INTERCEPT binds several sockets to a port, RPC registers its port. */
static bool keeps_sockets(const struct service_settings *settings)
{
	return (settings->flags & FLAG_INTERCEPT) || (settings->types & TYPE_RPC);
}

void handover_offer(struct service *service, const struct service_settings *settings)
{
	struct listener *listener, *next;

	if (keeps_sockets(service->settings) || (settings && keeps_sockets(settings)))
		return;
	for (listener = LIST_FIRST(&service->listeners); listener; listener = next) {
		next = LIST_NEXT(listener, link);
		if (!listener_is_open(listener) || !offer_add(listener, settings ? service : NULL))
			continue;
		LIST_REMOVE(listener, link);
		listener_rest(listener);
	}
}

static void give(struct offer *offer, struct service *service)
{
	struct listener *listener = offer->listener;

	offer_remove(offer);
	LIST_INSERT_HEAD(&service->listeners, listener, link);
	listener_serve(listener, service, service->settings);
}

/* A process that a server left behind may have the socket still, and could make accept(2)
 * wait for it. */
static bool is_unsafe(const struct listener *listener, const struct service_settings *settings)
{
	return listener->was_lent && service_accepts(settings);
}

static struct offer *find(const struct service *service, const struct endpoint *endpoint)
{
	struct socket_key key = key_of(service->settings, endpoint);
	struct offer *offer;

	HASH_FIND(hh, offers, &key, sizeof key, offer);
	return offer && !is_unsafe(offer->listener, service->settings) ? offer : NULL;
}

struct listener *handover_take(struct service *service, const struct endpoint *endpoint)
{
	struct offer *offer = keeps_sockets(service->settings) ? NULL : find(service, endpoint);
	struct listener *listener = offer ? offer->listener : NULL;

	if (offer)
		give(offer, service);
	return listener;
}

/* The owner could not take its new settings. */
static bool is_unchanged(const struct offer *offer)
{
	return offer->owner && offer->owner->settings == offer->former;
}

/* The socket may be on one of the addresses that are being looked up. */
static bool may_be_wanted(const struct offer *offer)
{
	const struct service *owner = offer->owner;

	return owner && service_awaits_names(owner) &&
	       address_port(&offer->listener->endpoint.address) == owner->settings->port &&
	       find(owner, &offer->listener->endpoint) == offer;
}

void handover_begin(void)
{
	is_under_way = true;
}

bool handover_is_under_way(void)
{
	return is_under_way;
}

void handover_end(void)
{
	struct offer *offer, *next;

	HASH_ITER(hh, offers, offer, next) {
		struct listener *listener = offer->listener;
		bool was_wanted = is_unchanged(offer) && listener->is_wanted;

		if (is_unchanged(offer) || may_be_wanted(offer)) {
			listener->is_wanted = was_wanted;
			give(offer, offer->owner);
		} else {
			if (offer->owner && is_unsafe(listener, offer->owner->settings))
				shutdown(listener->watch.fd, SHUT_RDWR); /* frees the port */
			listener->service = offer->owner;
			listener_free(listener);
			offer_remove(offer);
		}
	}
	is_under_way = false;
}
