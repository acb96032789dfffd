#include "monitor/binder.h"

#include "admission/gate.h"
#include "admission/intercept.h"
#include "base/close_keeping_errno.h"
#include "base/descriptors.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timer.h"
#include "monitor/rpc.h"
#include "monitor/service_manager.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 4096 /* the kernel cuts it to net.core.somaxconn */ };

/* The key of a socket; padding is zero. Only one socket can be open for each key, so the key
 * of an inner socket has its service. */
struct socket_key {
	unsigned char host[16];
	uint32_t family, type, protocol, v6only, scope, port;
	uint32_t inner_of; /* the service; SERVICE_IS_NEW: not an inner socket */
};

struct socket {
	UT_hash_handle hh;
	struct socket_key key;
	struct bound bound;
	uint32_t service;             /* SERVICE_IS_NEW: none */
	bool was_lent;                /* a server has had it */
	bool is_stored;               /* the service manager has it too, see socket_store */
	bool is_inherited;            /* and no service has taken it yet */
	struct service_settings *rpc; /* those it is registered for; NULL: none */
	struct gate *gate;            /* the ports that an inner one admits; otherwise NULL */
};

static struct socket *sockets;
static void (*before_close)(void);
static struct timer store_later; /* while the service manager has no room for all */

void binder_init(void (*closing)(void))
{
	before_close = closing;
}

static struct socket_key key_of(uint32_t service, const struct bind_message *which)
{
	const struct address *address = &which->address;
	struct socket_key key;

	memset(&key, 0, sizeof key);
	key.family = address->any.sa_family;
	key.type = (uint32_t)which->type;
	key.protocol = (uint32_t)which->protocol;
	key.v6only = which->v6only != 0;
	key.inner_of = which->is_inner ? service : SERVICE_IS_NEW;
	if (which->is_inner)
		return key;
	key.port = address_port(address);
	key.scope = key.family == AF_INET6 ? address->in6.sin6_scope_id : 0;
	memcpy(key.host, prefix_of(address, 128).bytes, sizeof key.host);
	return key;
}

static struct socket *find(uint32_t service, const struct bind_message *which)
{
	struct socket_key key = key_of(service, which);
	struct socket *socket;

	HASH_FIND(hh, sockets, &key, sizeof key, socket);
	return socket;
}

/* --- what a service may have ----------------------------------------------------------- */

static bool is_any_address(const struct address *address)
{
	return address->any.sa_family == AF_INET6
		       ? IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr)
		       : address->in4.sin_addr.s_addr == htonl(INADDR_ANY);
}

/* The frontend looks up names in bind, so a name allows any address. */
static bool bind_names(const struct strings *bind, const struct address *address)
{
	struct address named;

	for (size_t i = 0; i < bind->count; i++)
		if (address_parse(&named, bind->list[i], 0) < 0 ||
		    address_same_host(&named, address))
			return true;
	return bind->count == 0 && is_any_address(address);
}

/* Without bind the frontend takes 0.0.0.0 where the kernel has no IPv6. */
static bool wants_family(const struct service_settings *settings, int family)
{
	unsigned allowed = service_allowed_families(settings);

	return family == AF_INET ? (allowed & FLAG_IPV4) || settings->bind.count == 0
				 : allowed & FLAG_IPV6;
}

/* On 127.0.0.1; the kernel chooses the port. */
static bool is_for_inner(const struct bind_message *wanted)
{
	return wanted->address.any.sa_family == AF_INET && !wanted->v6only &&
	       wanted->address.in4.sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
	       wanted->address.in4.sin_port == 0;
}

static bool is_allowed(const struct service_settings *settings, const struct bind_message *wanted)
{
	const struct address *address = &wanted->address;

	if (service_is_multiplexed(settings) || !message_address_is_sound(address) ||
	    !address_is_known(address))
		return false;
	if (wanted->type != settings->socket_type || wanted->protocol != settings->protocol_number)
		return false;
	if (wanted->is_inner)
		return intercepts_streams(settings) && is_for_inner(wanted);
	return address_port(address) == settings->port &&
	       wants_family(settings, address->any.sa_family) &&
	       (!wanted->v6only || settings->v6only) && bind_names(&settings->bind, address);
}

/* --- opening ---------------------------------------------------------------------------- */

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

/* Sets what must be set before bind. On a datagram socket SO_REUSEADDR would let
 * another process take the port. */
static int prepare(int fd, const struct service_settings *settings,
		   const struct bind_message *wanted)
{
	if ((settings->socket_type == SOCK_STREAM || is_multicast(&wanted->address)) &&
	    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	if (wanted->address.any.sa_family != AF_INET6)
		return 0;
	return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted->v6only != 0);
}

/* Binds to the address of the socket for refused datagrams. */
static int bind_beside(int fd, int refused)
{
	struct address address;

	if (address_of_socket(refused, &address) < 0 || intercept_prepare(fd) < 0)
		return -1;
	return bind(fd, &address.any, address.length);
}

static int bind_and_listen(int fd, int refused, const struct service_settings *settings,
			   const struct bind_message *wanted)
{
	const struct address *address = &wanted->address;

	if (prepare(fd, settings, wanted) < 0)
		return -1;
	if (refused >= 0)
		return bind_beside(fd, refused);
	if (bind(fd, &address->any, address->length) < 0)
		return -1;
	/* The gate admits nobody until the frontend asks for its own connections. */
	if (wanted->is_inner && gate_attach(&(struct gate){ .count = 0 }, fd) < 0)
		return -1;
	if (settings->socket_type == SOCK_STREAM || settings->socket_type == SOCK_SEQPACKET)
		return listen(fd, BACKLOG);
	return is_multicast(address) ? join_group(fd, address) : 0;
}

static unsigned spent; /* descriptors of sockets */

static bool spend(void)
{
	if (!descriptors_spend())
		return false;
	spent++;
	return true;
}

static void regain(void)
{
	spent--;
	descriptors_regain();
}

unsigned binder_descriptors(void)
{
	return spent;
}

static int open_socket(int refused, const struct service_settings *settings,
		       const struct bind_message *wanted)
{
	int fd;

	if (!spend())
		return -1;
	fd = socket(wanted->address.any.sa_family,
		    settings->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    settings->protocol_number);
	if (fd >= 0 && bind_and_listen(fd, refused, settings, wanted) == 0)
		return fd;
	if (fd >= 0)
		close_keeping_errno(fd);
	regain();
	return -1;
}

static int open_refused(const struct service_settings *settings, const struct bind_message *wanted)
{
	int fd;

	if (!intercepts_datagrams(settings))
		return -1;
	if (!spend())
		return -1;
	fd = intercept_open_refused(&wanted->address, wanted->v6only, settings);
	if (fd < 0)
		regain();
	return fd;
}

static void close_one(int fd)
{
	if (fd < 0)
		return;
	close_keeping_errno(fd);
	regain();
}

static int open_sockets(const struct service_settings *settings, const struct bind_message *wanted,
			struct bound *bound)
{
	bound->refused = open_refused(settings, wanted);
	bound->fd = intercepts_datagrams(settings) && bound->refused < 0
			    ? -1
			    : open_socket(bound->refused, settings, wanted);
	if (bound->fd >= 0)
		return 0;
	close_one(bound->refused);
	return -1;
}

/* --- owners of sockets --------------------------------------------------------------------- */

/* The socket is not open yet. NULL with errno. */
static struct socket *socket_new(const struct socket_key *key, uint32_t service)
{
	struct socket *socket = calloc(1, sizeof *socket);

	if (!socket)
		return NULL;
	socket->key = *key;
	socket->service = service;
	if (key->inner_of == SERVICE_IS_NEW)
		return socket;
	socket->gate = calloc(1, sizeof *socket->gate);
	if (socket->gate)
		return socket;
	free(socket);
	return NULL;
}

static void socket_free(struct socket *socket)
{
	free(socket->gate);
	free(socket);
}

enum { SOCKET_NAME_SIZE = 128 };

/* The name by which the service manager has it: its key. */
static const char *socket_name(const struct socket *socket, char name[static SOCKET_NAME_SIZE])
{
	const struct socket_key *key = &socket->key;
	int length = snprintf(name, SOCKET_NAME_SIZE, "usherd-%u-%u-%u-%u-%u-%u-", key->family,
			      key->type, key->protocol, key->v6only, key->scope, key->port);

	for (size_t i = 0; i < sizeof key->host; i++)
		length += snprintf(name + length, (size_t)(SOCKET_NAME_SIZE - length), "%02x",
				   key->host[i]);
	return name;
}

/* Not those that consist of more than a descriptor. */
static bool can_be_stored(const struct socket *socket)
{
	return service_manager_stores() && socket->key.inner_of == SERVICE_IS_NEW &&
	       socket->bound.refused < 0 && !socket->rpc;
}

static void store_rest(struct timer *timer);

/* So that the next daemon gets it. */
static void socket_store(struct socket *socket)
{
	char name[SOCKET_NAME_SIZE];

	if (!can_be_stored(socket))
		return;
	socket->is_stored = service_manager_store(socket->bound.fd, socket_name(socket, name));
	if (socket->is_stored || errno != EAGAIN || timer_is_pending(&store_later))
		return;
	timer_init(&store_later, store_rest);
	timer_start(&store_later, MANAGER_RETRY_MS);
}

static void store_rest(struct timer *timer)
{
	struct socket *socket, *next;

	HASH_ITER(hh, sockets, socket, next)
		if (!socket->is_stored && !timer_is_pending(timer))
			socket_store(socket);
}

static void socket_close(struct socket *socket)
{
	if (before_close)
		before_close();
	if (socket->rpc)
		rpc_unregister(socket->rpc, (int)socket->key.family);
	service_settings_release(socket->rpc);
	if (socket->is_stored)
		service_manager_forget(socket_name(socket, (char[SOCKET_NAME_SIZE]){ 0 }));
	close_one(socket->bound.fd);
	close_one(socket->bound.refused);
	HASH_DEL(sockets, socket);
	socket_free(socket);
}

/* Clients must find the socket that the service listens on, not the server's inner one. */
static void socket_register(struct socket *socket, const struct service_settings *settings)
{
	if (!(settings->types & TYPE_RPC) || socket->key.inner_of != SERVICE_IS_NEW)
		return;
	socket->rpc = service_settings_copy(settings);
	if (socket->rpc)
		rpc_register(socket->rpc, socket->bound.fd);
}

static struct socket *socket_open(const struct service_settings *settings, uint32_t service,
				  const struct bind_message *wanted)
{
	struct socket_key key = key_of(service, wanted);
	struct socket *socket = socket_new(&key, service);

	if (!socket)
		return NULL;
	if (open_sockets(settings, wanted, &socket->bound) < 0)
		goto free_socket;
	socket->bound.is_new = true;
	HASH_ADD(hh, sockets, key, sizeof socket->key, socket);
	if (socket->hh.tbl) {
		socket_register(socket, settings);
		socket_store(socket);
		return socket;
	}
	close_one(socket->bound.fd);
	close_one(socket->bound.refused);
	errno = ENOMEM;

free_socket:
	socket_free(socket);
	return NULL;
}

/* --- those that are open already ------------------------------------------------------------- */

static int option_of(int fd, int level, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
}

/* What a service would ask for to get this socket; -1 with errno. */
static int describe(int fd, struct bind_message *endpoint)
{
	*endpoint = (struct bind_message){ 0 };
	if (address_of_socket(fd, &endpoint->address) < 0)
		return -1;
	endpoint->type = option_of(fd, SOL_SOCKET, SO_TYPE);
	endpoint->protocol = option_of(fd, SOL_SOCKET, SO_PROTOCOL);
	endpoint->v6only = endpoint->address.any.sa_family == AF_INET6 &&
			   option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
	if (address_is_known(&endpoint->address) && address_port(&endpoint->address) != 0 &&
	    (endpoint->type != SOCK_STREAM || option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1))
		return 0;
	errno = EINVAL;
	return -1;
}

int binder_inherit(int fd)
{
	struct bind_message endpoint;
	struct socket_key key;
	struct socket *socket;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || describe(fd, &endpoint) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	if (find(SERVICE_IS_NEW, &endpoint)) {
		errno = EEXIST;
		return -1;
	}
	key = key_of(SERVICE_IS_NEW, &endpoint);
	socket = socket_new(&key, SERVICE_IS_NEW);
	if (!socket)
		return -1;
	if (!spend())
		goto free_socket;
	socket->bound = (struct bound){ .fd = fd, .refused = -1 };
	socket->is_inherited = true;
	socket->is_stored = service_manager_stores();
	HASH_ADD(hh, sockets, key, sizeof socket->key, socket);
	if (socket->hh.tbl)
		return 0;
	regain();
	errno = ENOMEM;

free_socket:
	socket_free(socket);
	return -1;
}

/* --- taking and closing -------------------------------------------------------------------- */

/* RPC sockets are registered: nobody else can take them. INTERCEPT of datagrams has two
 * sockets: both services must have it, or neither. */
static bool can_be_taken(const struct socket *socket, const struct service_settings *settings)
{
	return !socket->rpc && !(settings->types & TYPE_RPC) &&
	       (socket->bound.refused >= 0) == intercepts_datagrams(settings);
}

/* A process that a server left behind may have it still. It can clear O_NONBLOCK, which is
 * shared, and take connections, so that accept(2) waits in the frontend. */
static bool is_unsafe(const struct socket *socket, const struct service_settings *settings)
{
	return socket->was_lent && service_accepts(settings);
}

int binder_bind(const struct service_settings *settings, uint32_t service,
		const struct bind_message *wanted, struct bound *bound)
{
	struct socket *socket;

	if (!is_allowed(settings, wanted)) {
		errno = EPERM;
		return -1;
	}
	socket = find(service, wanted);
	if (socket && is_unsafe(socket, settings)) {
		shutdown(socket->bound.fd, SHUT_RDWR); /* frees the port */
		socket_close(socket);
		socket = NULL;
	}
	if (socket && socket->service != service && !can_be_taken(socket, settings)) {
		socket_close(socket);
		socket = NULL;
	}
	if (!socket)
		socket = socket_open(settings, service, wanted);
	/* A socket of a removed service may be in the way. The frontend asks for new sockets
	 * last, so no service needs that one any more. */
	if (!socket && errno == EADDRINUSE && binder_sweep() > 0)
		socket = socket_open(settings, service, wanted);
	if (!socket)
		return -1;
	socket->service = service;
	socket->is_inherited = false;
	*bound = socket->bound;
	socket->bound.is_new = false;
	return 0;
}

void binder_unbind(uint32_t service, const struct bind_message *which)
{
	struct socket *socket = find(service, which);

	if (socket && socket->service == service)
		socket_close(socket);
}

int binder_socket(uint32_t service, const struct bind_message *which)
{
	struct socket *socket = find(service, which);

	if (!socket || socket->service != service)
		return -1;
	socket->was_lent = true;
	return socket->bound.fd;
}

/* Moves the inner sockets from the table to a list: their keys will change. */
static struct socket *take_inner(void)
{
	struct socket *list = NULL, *socket, *next;

	HASH_ITER(hh, sockets, socket, next)
		if (socket->key.inner_of != SERVICE_IS_NEW) {
			HASH_DEL(sockets, socket);
			socket->hh.next = list; /* not used outside the table */
			list = socket;
		}
	return list;
}

void binder_renumber(const uint32_t *numbers, uint32_t count)
{
	struct socket *inner = take_inner(), *socket, *next;

	if (inner && before_close)
		before_close();
	HASH_ITER(hh, sockets, socket, next)
		socket->service = service_renumber(socket->service, numbers, count);
	for (; inner; inner = next) {
		next = inner->hh.next;
		inner->service = service_renumber(inner->service, numbers, count);
		if (inner->service == SERVICE_IS_NEW) {
			close_one(inner->bound.fd);
			socket_free(inner);
			continue;
		}
		inner->key.inner_of = inner->service;
		HASH_ADD(hh, sockets, key, sizeof inner->key, inner);
	}
}

static void log_unwanted(const struct socket *socket)
{
	char host[ADDRESS_TEXT_SIZE];
	struct address address;

	if (address_of_socket(socket->bound.fd, &address) == 0)
		log_warning("the service manager's socket on %s, port %u, is closed: no service "
			    "asks for it",
			    address_text(&address, host), (unsigned)socket->key.port);
}

unsigned binder_sweep(void)
{
	struct socket *socket, *next;
	unsigned count = 0;

	HASH_ITER(hh, sockets, socket, next)
		if (socket->service == SERVICE_IS_NEW) {
			if (socket->is_inherited)
				log_unwanted(socket);
			socket_close(socket);
			count++;
		}
	return count;
}

void binder_close_all(void)
{
	struct socket *socket, *next;

	timer_stop(&store_later);
	HASH_ITER(hh, sockets, socket, next) {
		socket->is_stored = false; /* the next daemon gets it */
		socket_close(socket);
	}
}

static struct socket *find_inner(const struct service_settings *settings, uint32_t service)
{
	const struct bind_message inner = {
		.type = settings->socket_type,
		.protocol = settings->protocol_number,
		.address.any.sa_family = AF_INET,
		.is_inner = true,
	};

	return find(service, &inner);
}

int binder_let_in(const struct service_settings *settings, uint32_t service, uint16_t port)
{
	struct socket *socket = find_inner(settings, service);

	if (!socket) {
		errno = ENOENT;
		return -1;
	}
	gate_add(socket->gate, port);
	return gate_attach(socket->gate, socket->bound.fd);
}

/* Without its gate a socket would admit anybody, so it is closed. */
static void attach_or_close(struct socket *socket)
{
	if (gate_attach(socket->gate, socket->bound.fd) < 0)
		socket_close(socket);
}

void binder_let_out(const struct service_settings *settings, uint32_t service, uint16_t port)
{
	struct socket *socket = find_inner(settings, service);

	if (!socket)
		return;
	gate_remove(socket->gate, port);
	attach_or_close(socket);
}

void binder_close_gates(void)
{
	struct socket *socket, *next;

	HASH_ITER(hh, sockets, socket, next)
		if (socket->key.inner_of != SERVICE_IS_NEW) {
			*socket->gate = (struct gate){ .count = 0 };
			attach_or_close(socket);
		}
}
