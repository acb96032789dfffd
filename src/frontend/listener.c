#include "frontend/listener.h"

#include "admission/intercept.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "handlers/launch.h"
#include "session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum {
	ACCEPTS_PER_TURN = 8, /* a flood to one service must not block the others */
	RETRY_FIRST_MS = 1000,
	RETRY_MAX_MS = 60000,
	SHORTAGE_MS = 20, /* pause after a shortage of descriptors */
};

static void on_connection(struct watch *watch, short ready);
static void on_datagram(struct watch *watch, short ready);
static void on_wait(struct watch *watch, short ready);
static void on_refused(struct watch *watch, short ready);
static void on_retry(struct timer *timer);

bool endpoint_equal(const struct endpoint *one, const struct endpoint *other)
{
	return address_same_host(&one->address, &other->address) &&
	       address_port(&one->address) == address_port(&other->address) &&
	       one->v6only == other->v6only;
}

static const struct listener_events *events;

void listeners_init(const struct listener_events *told)
{
	events = told;
}

struct listener *listener_new(struct service *service, const struct service_settings *settings,
			      const struct endpoint *endpoint)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		return NULL;
	listener->service = service;
	listener->settings = settings;
	listener->endpoint = *endpoint;
	watch_init(&listener->watch, -1, NULL);
	watch_init(&listener->refused, -1, NULL);
	timer_init(&listener->retry, on_retry);
	return listener;
}

static void close_watched(struct watch *watch)
{
	watch_stop(watch);
	if (watch->fd >= 0) {
		close(watch->fd);
		descriptors_regain();
	}
	watch->fd = -1;
}

static void stop_asking(struct listener *listener);

static bool leaves_ports;

void listeners_leave_ports(void)
{
	leaves_ports = true;
}

void listener_close(struct listener *listener)
{
	timer_stop(&listener->retry);
	if (!leaves_ports && (listener->ticket || listener_is_open(listener)))
		events->unwanted(listener);
	stop_asking(listener);
	if (!listener_is_open(listener))
		return;
	if (!listener->is_blocking &&
	    !leaves_ports) /* the monitor keeps its copy open until it is told */
		shutdown(listener->watch.fd, SHUT_RDWR);
	close_watched(&listener->watch);
	close_watched(&listener->refused);
}

void listener_free(struct listener *listener)
{
	if (listener->server) /* it goes on with its own copy of the socket */
		listener->server->origin = NULL;
	listener_close(listener);
	free(listener);
}

bool listener_is_open(const struct listener *listener)
{
	return listener->watch.fd >= 0;
}

/* True for a socket that a wait server gets. */
static bool is_for_server(const struct listener *listener)
{
	const struct service_settings *settings = listener->settings;

	return service_waits(settings) && (listener->is_inner || !intercepts_streams(settings));
}

/* A server expects a blocking socket. Server and daemon share the flag, so it does not
 * change while a server has the socket. */
static void set_blocking(struct listener *listener)
{
	bool is_blocking = is_for_server(listener);

	if (listener->server || is_blocking == listener->is_blocking)
		return;
	fcntl(listener->watch.fd, F_SETFL, is_blocking ? 0 : O_NONBLOCK);
	listener->is_blocking = is_blocking;
}

void listener_rest(struct listener *listener)
{
	timer_stop(&listener->retry);
	watch_stop(&listener->watch);
	listener->service = NULL;
}

void listener_set_polled(struct listener *listener, bool polled)
{
	if (!listener_is_open(listener) || polled == watch_is_started(&listener->watch) ||
	    (polled && timer_is_pending(&listener->retry)))
		return;
	set_blocking(listener);
	if (!polled)
		watch_stop(&listener->watch);
	else if (watch_start(&listener->watch, LOOP_READ) < 0)
		listener_pause(listener, RETRY_FIRST_MS);
}

void listener_pause(struct listener *listener, unsigned milliseconds)
{
	watch_stop(&listener->watch);
	timer_start(&listener->retry, milliseconds);
}

/* --- opening ------------------------------------------------------------------------- */

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/* Sets the socket options of the settings and, on a socket that is not new, resets those of
 * former settings. Connections inherit them. */
static void set_options(int fd, const struct listener *listener, bool is_new)
{
	const struct service_settings *settings = listener->settings;
	bool has_nodelay = settings->flags & FLAG_NODELAY;
	bool has_keepalive = settings->flags & FLAG_KEEPALIVE;

	if (settings->socket_type != SOCK_STREAM)
		return;
	if (!is_new)
		descriptor_forbid_waiting(fd); /* a wait server may have set SO_LINGER */
	if (!is_new || has_nodelay)
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, has_nodelay);
	if (!is_new || has_keepalive)
		set_option(fd, SOL_SOCKET, SO_KEEPALIVE, has_keepalive);
}

/* Without IPv6 on this machine, "any address" means any IPv4 address. */
static bool fall_back_to_ipv4(struct listener *listener, int error)
{
	struct address *address = &listener->endpoint.address;

	if ((error != EAFNOSUPPORT && error != EADDRNOTAVAIL) || listener->endpoint.v6only ||
	    address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr))
		return false;
	if (listener->settings->bind.count > 0)
		return false; /* bind = :: means IPv6 */
	if (address_parse(address, "0.0.0.0", address_port(address)) < 0)
		return false;
	return true;
}

static void log_bind_failure(const struct listener *listener, int error, const char *holder)
{
	const struct address *address = &listener->endpoint.address;
	struct log_facts facts = { .event = LOG_EVENT_SERVICE_STATE };
	char text[ADDRESS_TEXT_SIZE], use[192] = "";

	if (*holder)
		snprintf(use, sizeof use, "; port %u is in use by %s", address_port(address),
			 holder);
	log_facts_text(&facts, "usherd.service", listener->settings->id);
	log_facts_text(&facts, "usherd.state", "waiting");
	log_facts_text(&facts, "network.local.address", address_text(address, text));
	log_facts_number(&facts, "network.local.port", address_port(address));
	log_facts_text(&facts, "reason", strerror(error));
	log_facts_text(&facts, "usherd.holder", holder);
	log_event(LOG_ERR, &facts,
		  "bind failed. service = %s, address = %s, port = %u; trying again: %s%s",
		  listener->settings->id, text, address_port(address), strerror(error), use);
}

static void bind_failed(struct listener *listener, int error, const char *holder)
{
	uint64_t delay = (uint64_t)RETRY_FIRST_MS
			 << (listener->attempts < 6 ? listener->attempts : 6);

	if (listener->attempts == 0 || error != listener->error)
		log_bind_failure(listener, error, holder);
	listener->attempts++;
	listener->error = error;
	timer_start(&listener->retry, delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS);
}

static watch_callback *callback_for(const struct listener *listener)
{
	if (is_for_server(listener))
		return on_wait;
	return listener->settings->socket_type == SOCK_STREAM ? on_connection : on_datagram;
}

static unsigned asked;

unsigned listeners_asked(void)
{
	return asked;
}

/* An answer to the request is ignored from now on. */
static void stop_asking(struct listener *listener)
{
	if (listener->ticket == 0)
		return;
	listener->ticket = 0;
	asked--;
	descriptors_regain();
	if (intercepts_datagrams(listener->settings))
		descriptors_regain();
}

static bool spend_descriptors(const struct listener *listener)
{
	if (!descriptors_spend())
		return false;
	if (!intercepts_datagrams(listener->settings) || descriptors_spend())
		return true;
	descriptors_regain();
	errno = EMFILE;
	return false;
}

void listener_open(struct listener *listener)
{
	static uint32_t last_ticket;

	if (listener_is_open(listener) || listener->ticket)
		return;
	timer_stop(&listener->retry);
	if (!spend_descriptors(listener)) {
		bind_failed(listener, errno, "");
		return;
	}
	if (++last_ticket == 0)
		last_ticket++;
	listener->ticket = last_ticket;
	listener->type = (short)listener->settings->socket_type;
	listener->protocol = (short)listener->settings->protocol_number;
	asked++;
	events->wanted(listener, listener->ticket);
}

void listener_not_bound(struct listener *listener, int error, const char *holder)
{
	stop_asking(listener);
	/* ESTALE: the request was made in the generation before. */
	if (error == ESTALE || fall_back_to_ipv4(listener, error))
		listener_open(listener);
	else
		bind_failed(listener, error, holder);
}

void listener_bound(struct listener *listener, int fd, int refused, bool is_new)
{
	listener->ticket = 0;
	asked--;
	if (listener->attempts > 0)
		log_state(LOG_NOTICE, listener->settings->id, "up", "service %s: bound at last",
			  listener->settings->id);
	listener->attempts = 0;
	timer_stop(&listener->retry);
	watch_init(&listener->watch, fd, callback_for(listener));
	watch_init(&listener->refused, refused, on_refused);
	listener->is_blocking = false;
	set_options(fd, listener, is_new);
	if ((refused >= 0 && watch_start(&listener->refused, LOOP_READ) < 0) ||
	    events->opened(listener) < 0) {
		int error = errno;

		listener_close(listener);
		bind_failed(listener, error, "");
	}
}

void listener_serve(struct listener *listener, struct service *service,
		    const struct service_settings *settings)
{
	int fd = listener->watch.fd;

	listener->service = service;
	listener->settings = settings;
	events->wanted(listener, 0);
	set_options(fd, listener, false);
	watch_init(&listener->watch, fd, callback_for(listener));
	if (events->opened(listener) < 0)
		listener_close(listener);
}

/* Binds again, or ends the pause after a shortage. */
static void on_retry(struct timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	if (listener_is_open(listener))
		events->rested(listener);
	else
		listener_open(listener);
}

/* --- events ---------------------------------------------------------------------------- */

/* Refuses one connection, with a descriptor of the reserve. Left in the queue, it would
 * wake the loop for ever. */
static void refuse_one(struct listener *listener)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof storage;
	struct address peer;
	int fd;

	descriptors_open_reserve();
	fd = accept4(listener->watch.fd, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	descriptors_close_reserve();
	if (fd < 0) {
		listener_pause(listener, SHORTAGE_MS);
		return;
	}
	peer = address_from_sockaddr((struct sockaddr *)&storage, length);
	events->overloaded(listener, &peer);
}

static void accept_failed(struct listener *listener, int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		if (launch_is_busy()) /* it will soon free some descriptors */
			listener_pause(listener, SHORTAGE_MS);
		else
			refuse_one(listener);
		break;
	case ENOBUFS:
	case ENOMEM:
		listener_pause(listener, SHORTAGE_MS);
		break;
	default: /* the queue is empty, or the connection is gone */
		break;
	}
}

/* The connection blocks, as programs expect it. The loop passes MSG_DONTWAIT with every
 * call. */
static bool accept_one(struct listener *listener)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof storage;
	struct address peer;
	int fd;

	if (!events->has_room(listener)) {
		listener_pause(listener, SHORTAGE_MS);
		return false;
	}
	fd = accept4(listener->watch.fd, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC);

	if (fd < 0) {
		accept_failed(listener, errno);
		return false;
	}
	peer = address_from_sockaddr((struct sockaddr *)&storage, length);
	events->connection(listener, fd, &peer);
	return true;
}

static void on_connection(struct watch *watch, short ready)
{
	struct listener *listener = container_of(watch, struct listener, watch);

	(void)ready;
	for (int accepted = 0; accepted < ACCEPTS_PER_TURN; accepted++)
		if (!watch_is_started(watch) || !accept_one(listener))
			break;
}

static void on_datagram(struct watch *watch, short ready)
{
	(void)ready;
	events->datagrams(container_of(watch, struct listener, watch));
}

static void on_refused(struct watch *watch, short ready)
{
	(void)ready;
	events->sender_refused(container_of(watch, struct listener, refused));
}

static void on_wait(struct watch *watch, short ready)
{
	(void)ready;
	events->server_wanted(container_of(watch, struct listener, watch));
}
