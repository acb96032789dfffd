#include "server/listener.h"

#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "handlers/launch.h"
#include "server/datagram_queue.h"
#include "server/datagrams.h"
#include "server/intercept.h"
#include "server/reception.h"
#include "server/rpc.h"
#include "server/service.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
	ACCEPTS_PER_TURN = 8, /* a flood of one service leaves the loop to the others */
	RETRY_FIRST_MS = 1000,
	RETRY_MOST_MS = 60000,
	SHORTAGE_MS = 20, /* how long a shortage of descriptors is given to pass */
};

static void on_connection(struct watch *watch, short events);
static void on_datagram(struct watch *watch, short events);
static void on_wait(struct watch *watch, short events);
static void on_refused(struct watch *watch, short events);
static void on_retry(struct timer *timer);

bool endpoint_equal(const struct endpoint *one, const struct endpoint *other)
{
	return address_same_host(&one->address, &other->address) &&
	       address_port(&one->address) == address_port(&other->address) &&
	       one->v6only == other->v6only;
}

struct listener *listener_new(struct service *service, const struct endpoint *endpoint)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		return NULL;
	listener->service = service;
	listener->endpoint = *endpoint;
	watch_init(&listener->watch, -1, NULL);
	watch_init(&listener->refused, -1, NULL);
	timer_init(&listener->retry, on_retry);
	return listener;
}

static bool is_rpc(const struct listener *listener)
{
	return listener->service && (listener->service->settings->types & TYPE_RPC);
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

void listener_close(struct listener *listener)
{
	timer_stop(&listener->retry);
	if (!listener_is_open(listener))
		return;
	if (is_rpc(listener))
		rpc_unregister(listener->service->settings,
			       listener->endpoint.address.any.sa_family);
	close_watched(&listener->watch);
	close_watched(&listener->refused);
}

void listener_free(struct listener *listener)
{
	if (listener->server) /* which goes on with the socket on its own */
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
	const struct service_settings *settings = listener->service->settings;

	return service_waits(settings) && (listener->is_inner || !intercepts_streams(settings));
}

/* A server expects its socket to block. One that has it now shares this with the
 * daemon, so that it stays as it is until the socket is back. */
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

static bool is_multicast(const struct address *address)
{
	return address->any.sa_family == AF_INET &&
	       IN_MULTICAST(ntohl(address->in4.sin_addr.s_addr));
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static int join_group(int fd, const struct address *address)
{
	struct ip_mreq group = { .imr_multiaddr = address->in4.sin_addr };

	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
}

/* Sets what must be set before bind. */
static int prepare(int fd, const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	const struct endpoint *endpoint = &listener->endpoint;
	bool is_stream = settings->socket_type == SOCK_STREAM;

	/* On a datagram socket it would let another process take the port. */
	if ((is_stream || is_multicast(&endpoint->address)) &&
	    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	if (endpoint->address.any.sa_family == AF_INET6 &&
	    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, endpoint->v6only) < 0)
		return -1;
	return 0;
}

/* Sets what its settings say of an open socket, and what former ones may have said
 * otherwise. Connections take it from the socket that they come in by. */
static void set_options(int fd, const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	bool answers = settings->socket_type == SOCK_DGRAM && !service_waits(settings);

	if (settings->socket_type == SOCK_STREAM) {
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, !!(settings->flags & FLAG_NODELAY));
		set_option(fd, SOL_SOCKET, SO_KEEPALIVE, !!(settings->flags & FLAG_KEEPALIVE));
	}
	if (settings->socket_type == SOCK_DGRAM)
		datagrams_prepare(fd, listener->endpoint.address.any.sa_family, answers);
}

/* Binds beside the socket for refused datagrams. */
static int bind_beside(int fd, const struct listener *listener)
{
	struct address address;

	if (address_of_socket(listener->refused.fd, &address) < 0 || intercept_prepare(fd) < 0)
		return -1;
	return bind(fd, &address.any, address.length);
}

static int bind_and_listen(int fd, const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	const struct address *address = &listener->endpoint.address;

	if (prepare(fd, listener) < 0)
		return -1;
	if (listener->refused.fd >= 0)
		return bind_beside(fd, listener);
	if (bind(fd, &address->any, address->length) < 0)
		return -1;
	if (listener->is_inner && gate_attach(&listener->gate, fd) < 0)
		return -1;
	if (settings->socket_type == SOCK_STREAM || settings->socket_type == SOCK_SEQPACKET)
		return listen(fd, BACKLOG);
	return is_multicast(address) ? join_group(fd, address) : 0;
}

static int open_socket(const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	int fd, error;

	if (!descriptors_spend())
		return -1;
	fd = socket(listener->endpoint.address.any.sa_family,
		    settings->socket_type | SOCK_CLOEXEC |
			    (is_for_server(listener) ? 0 : SOCK_NONBLOCK),
		    settings->protocol_number);
	if (fd >= 0 && bind_and_listen(fd, listener) == 0)
		return fd;
	error = errno;
	if (fd >= 0)
		close(fd);
	descriptors_regain();
	errno = error;
	return -1;
}

/* Without IPv6 on this machine, "any address" means any IPv4 address. */
static bool fall_back_to_ipv4(struct listener *listener, int error)
{
	struct address *address = &listener->endpoint.address;

	if ((error != EAFNOSUPPORT && error != EADDRNOTAVAIL) || listener->endpoint.v6only ||
	    address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr))
		return false;
	if (listener->service->settings->bind.count > 0)
		return false; /* somebody asked for :: itself */
	if (address_parse(address, "0.0.0.0", address_port(address)) < 0)
		return false;
	return true;
}

static void bind_failed(struct listener *listener, int error)
{
	uint64_t delay = (uint64_t)RETRY_FIRST_MS << (listener->attempts < 6 ? listener->attempts : 6);
	char text[ADDRESS_TEXT_SIZE];

	if (listener->attempts == 0 || error != listener->error)
		log_failure(error, "bind failed. service = %s, address = %s, port = %u; trying again",
			    listener->service->settings->id,
			    address_text(&listener->endpoint.address, text),
			    address_port(&listener->endpoint.address));
	listener->attempts++;
	listener->error = error;
	timer_start(&listener->retry, delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS);
}

static watch_callback *callback_for(const struct listener *listener)
{
	if (is_for_server(listener))
		return on_wait;
	return listener->service->settings->socket_type == SOCK_STREAM ? on_connection
								       : on_datagram;
}

/* INTERCEPT of datagrams: -1 with errno when it can't be had. */
static int open_refused(struct listener *listener)
{
	int fd;

	if (!intercepts_datagrams(listener->service->settings))
		return 0;
	if (!descriptors_spend())
		return -1;
	fd = intercept_open_refused(&listener->endpoint, listener->service);
	if (fd < 0) {
		descriptors_regain();
		return -1;
	}
	watch_init(&listener->refused, fd, on_refused);
	return watch_start(&listener->refused, LOOP_READ);
}

static int open_sockets(struct listener *listener)
{
	int fd = open_refused(listener) < 0 ? -1 : open_socket(listener);
	int error = errno;

	if (fd < 0)
		close_watched(&listener->refused);
	errno = error;
	return fd;
}

void listener_open(struct listener *listener)
{
	int fd = open_sockets(listener);

	if (fd < 0 && fall_back_to_ipv4(listener, errno))
		fd = open_sockets(listener);
	if (fd < 0) {
		bind_failed(listener, errno);
		return;
	}
	if (listener->attempts > 0)
		log_notice("service %s: bound at last", listener->service->settings->id);
	listener->attempts = 0;
	timer_stop(&listener->retry);
	if (is_rpc(listener))
		rpc_register(listener->service->settings, fd);
	listener->is_blocking = is_for_server(listener);
	set_options(fd, listener);
	watch_init(&listener->watch, fd, callback_for(listener));
	service_refresh(listener->service);
}

void listener_serve(struct listener *listener, struct service *service)
{
	int fd = listener->watch.fd;

	listener->service = service;
	set_options(fd, listener);
	watch_init(&listener->watch, fd, callback_for(listener));
	service_refresh(service);
}

/* Either the socket could not be bound, or a shortage may have passed. */
static void on_retry(struct timer *timer)
{
	struct listener *listener = container_of(timer, struct listener, retry);

	if (listener_is_open(listener))
		service_refresh(listener->service);
	else
		listener_open(listener);
}

/* --- events ---------------------------------------------------------------------------- */

/* Takes a connection off the queue with a descriptor of the reserve, as otherwise
 * it would wake the loop for ever. */
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
	service_refused(listener->service, REFUSED_DESCRIPTORS, &peer, NULL);
}

static void accept_failed(struct listener *listener, int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		if (launch_is_busy()) /* its descriptors are free in a moment */
			listener_pause(listener, SHORTAGE_MS);
		else
			refuse_one(listener);
		break;
	case ENOBUFS:
	case ENOMEM:
		listener_pause(listener, SHORTAGE_MS);
		break;
	default: /* nobody there, or that connection is gone already */
		break;
	}
}

/* True when the service has had its share of descriptors, but will have some back
 * in a moment, as programs are being started on them. */
static bool waits_for_descriptors(struct service *service)
{
	return service->handler == &launch_handler && launch_is_busy() &&
	       !share_allows(descriptors_shares(), &service->descriptors,
			     service_descriptors_per_session(service));
}

/* What a program gets must block; what the loop serves is used without blocking
 * by a flag on every call. */
static bool accept_one(struct listener *listener)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof storage;
	struct address peer;
	int fd;

	if (waits_for_descriptors(listener->service)) {
		listener_pause(listener, SHORTAGE_MS);
		return false;
	}
	fd = accept4(listener->watch.fd, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC);

	if (fd < 0) {
		accept_failed(listener, errno);
		return false;
	}
	peer = address_from_sockaddr((struct sockaddr *)&storage, length);
	reception_connection(listener->service, fd, &peer);
	return true;
}

static void on_connection(struct watch *watch, short events)
{
	struct listener *listener = container_of(watch, struct listener, watch);

	(void)events;
	for (int accepted = 0; accepted < ACCEPTS_PER_TURN; accepted++)
		if (!watch_is_started(watch) || !accept_one(listener))
			break;
}

static void on_datagram(struct watch *watch, short events)
{
	(void)events;
	datagrams_serve(container_of(watch, struct listener, watch));
}

static void on_refused(struct watch *watch, short events)
{
	struct listener *listener = container_of(watch, struct listener, refused);

	(void)events;
	intercept_take_refused(watch->fd, listener->service, datagrams_refuse);
}

static void on_wait(struct watch *watch, short events)
{
	struct listener *listener = container_of(watch, struct listener, watch);
	struct address peer = { .length = 0 };

	(void)events;
	if (listener->service->settings->socket_type == SOCK_STREAM ||
	    datagram_queue_front(listener, &peer))
		reception_wait(listener, &peer);
}
