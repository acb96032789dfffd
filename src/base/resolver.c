#include "base/resolver.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/name_servers.h"
#include "base/worker.h"

#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	REPLY_USUAL = 8 * 1024, /* buffer of the C library for the names of an address */
	REPLY_MAX = 64 * 1024,
	NAME_LENGTH_MAX = 255, /* of a host (RFC 1123) */
};

enum { NETWORK_IN4 = 24, NETWORK_IN6 = 48 }; /* these often have one reverse zone */

/* Lookups that share threads. */
struct queue {
	struct worker_pool *pool;
	size_t levels;
	unsigned most[TURNS_LEVELS_MAX + 1]; /* threads: in all, and for groups of each level */
};

static struct queue address_queue = { .most = { 8 } };

/* By service, network and source. */
static struct queue name_queue = { .levels = 3, .most = { 16, 8, 4, 2 } };

struct lookup {
	struct job job;
	struct queue *queue;
	atomic_bool is_cancelled;
	uint64_t due; /* no query is sent after it; CLOCK_MONOTONIC */
	void *context;
	addresses_found *addresses_found;
	names_found *names_found;

	bool was_asked;
	int error, system_error;     /* of getaddrinfo(3) */
	struct name_servers servers; /* whether they answer, if that was checked */
	size_t count;
	struct address addresses[LOOKUP_ADDRESSES_MAX];
	char *names[LOOKUP_NAMES_MAX + 1];

	struct address address; /* whose names are looked up */
	int family;
	char host[];
};

static struct lookup *lookup_of(struct job *job)
{
	return container_of(job, struct lookup, job);
}

static void lookup_free(struct lookup *lookup)
{
	for (int i = 0; i < LOOKUP_NAMES_MAX; i++)
		free(lookup->names[i]);
	free(lookup);
}

/* --- on a worker ------------------------------------------------------------- */

static bool is_worth_asking(const struct lookup *lookup)
{
	return !atomic_load(&lookup->is_cancelled) && clock_read() <= lookup->due;
}

static int ask_for_addresses(const char *host, int family, int flags, struct addrinfo **list)
{
	/* Without a socket type each address would be listed once for every type. */
	struct addrinfo hints = { .ai_family = family,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = flags };

	return getaddrinfo(host, NULL, &hints, list);
}

static bool has_address(const struct lookup *lookup, const struct address *address)
{
	for (size_t i = 0; i < lookup->count; i++)
		if (address_same_host(&lookup->addresses[i], address))
			return true;
	return false;
}

static void add_address(struct lookup *lookup, const struct addrinfo *found)
{
	struct address address = address_from_sockaddr(found->ai_addr, found->ai_addrlen);

	if (lookup->family != AF_UNSPEC && address.any.sa_family != lookup->family)
		return;
	if (lookup->count == LOOKUP_ADDRESSES_MAX || has_address(lookup, &address))
		return;
	lookup->addresses[lookup->count++] = address;
}

static void find_addresses(struct job *job)
{
	struct lookup *lookup = lookup_of(job);
	struct addrinfo *list = NULL;

	lookup->error = EAI_AGAIN;
	if (!is_worth_asking(lookup))
		return;
	lookup->error = ask_for_addresses(lookup->host, lookup->family, 0, &list);
	lookup->system_error = errno;
	name_servers_ask(&lookup->servers, lookup->error == EAI_AGAIN);
	if (lookup->error)
		return;
	for (const struct addrinfo *found = list; found; found = found->ai_next)
		add_address(lookup, found);
	freeaddrinfo(list);
	if (lookup->count == 0)
		lookup->error = EAI_NODATA;
}

static bool is_numeric(const char *name)
{
	struct addrinfo *list;

	if (ask_for_addresses(name, AF_UNSPEC, AI_NUMERICHOST, &list) != 0)
		return false;
	freeaddrinfo(list);
	return true;
}

static bool confirms(const char *name, const struct address *address)
{
	struct addrinfo *list;
	bool is_found = false;

	if (ask_for_addresses(name, address->any.sa_family, 0, &list) != 0)
		return false;
	for (const struct addrinfo *one = list; one && !is_found; one = one->ai_next) {
		struct address other = address_from_sockaddr(one->ai_addr, one->ai_addrlen);

		is_found = address_same_host(address, &other);
	}
	freeaddrinfo(list);
	return is_found;
}

static bool has_name(const struct lookup *lookup, const char *name)
{
	for (size_t i = 0; i < lookup->count; i++)
		if (strcasecmp(lookup->names[i], name) == 0)
			return true;
	return false;
}

/* Not every service of nsswitch.conf(5) checks the names that it gets, and names are
 * shown on terminals. */
static bool is_plain(const char *name)
{
	size_t length = 0;

	while (name[length] > ' ' && name[length] <= '~')
		length++;
	return length > 0 && length <= NAME_LENGTH_MAX && name[length] == '\0';
}

static void try_name(struct lookup *lookup, const char *name)
{
	if (!is_plain(name) || has_name(lookup, name) || is_numeric(name) ||
	    !is_worth_asking(lookup) || !confirms(name, &lookup->address))
		return;
	lookup->names[lookup->count] = strdup(name);
	if (lookup->names[lookup->count])
		lookup->count++;
}

void resolver_limit_waiting(void)
{
	if (res_init() < 0) /* again: after a change of _res resolv.conf is not reread */
		return;
	if (_res.retrans > 2)
		_res.retrans = 2; /* seconds for one name server */
	if (_res.retry > 2)
		_res.retry = 2;
	if (_res.nscount > 1)
		_res.retry = 1;
}

/* The result of gethostbyaddr_r(3): ERANGE when the reply is longer than size. *failure:
 * h_errno when there is none. */
static int ask_for_names(const struct address *address, struct hostent *names, char *reply,
			 size_t size, struct hostent **found, int *failure)
{
	bool is_in4 = address->any.sa_family == AF_INET;
	const void *bytes = is_in4 ? (const void *)&address->in4.sin_addr
				   : (const void *)&address->in6.sin6_addr;
	socklen_t length = is_in4 ? sizeof address->in4.sin_addr : sizeof address->in6.sin6_addr;

	return gethostbyaddr_r(bytes, length, address->any.sa_family, names, reply, size, found,
			       failure);
}

static void try_names(struct lookup *lookup, const struct hostent *names)
{
	try_name(lookup, names->h_name);
	for (int i = 0; i < LOOKUP_NAMES_MAX - 1 && names->h_aliases[i]; i++)
		try_name(lookup, names->h_aliases[i]);
}

static void find_names(struct job *job)
{
	struct lookup *lookup = lookup_of(job);
	int error = ERANGE, failure = 0;

	if (!is_worth_asking(lookup))
		return;
	lookup->was_asked = true;
	resolver_limit_waiting();
	for (size_t size = REPLY_USUAL; size <= REPLY_MAX && error == ERANGE; size *= 2) {
		char *reply = malloc(size);
		struct hostent names, *found = NULL;

		if (!reply || !is_worth_asking(lookup))
			error = ECANCELED;
		else
			error = ask_for_names(&lookup->address, &names, reply, size, &found,
					      &failure);
		if (error == 0 && found)
			try_names(lookup, found);
		free(reply);
	}
	name_servers_ask(&lookup->servers, failure == TRY_AGAIN);
}

/* --- on the loop thread --------------------------------------------------------- */

static const char *reason_of(const struct lookup *lookup)
{
	if (lookup->count > 0)
		return NULL;
	if (lookup->error == EAI_SYSTEM)
		return strerror(lookup->system_error);
	return gai_strerror(lookup->error);
}

static void addresses_done(struct job *job)
{
	struct lookup *lookup = lookup_of(job);

	name_servers_report(&lookup->servers);
	if (!atomic_load(&lookup->is_cancelled))
		lookup->addresses_found(lookup->context, lookup->addresses, lookup->count,
					reason_of(lookup));
	lookup_free(lookup);
}

static void names_done(struct job *job)
{
	struct lookup *lookup = lookup_of(job);
	const char *const *names = (const char *const *)lookup->names;

	name_servers_report(&lookup->servers);
	if (!atomic_load(&lookup->is_cancelled))
		lookup->names_found(lookup->context, lookup->was_asked ? names : NULL);
	lookup_free(lookup);
}

static int open_queue(struct queue *queue)
{
	if (queue->pool)
		return 0;
	queue->pool =
		worker_pool_new_shared(queue->most[0], queue->most[0], queue->levels, queue->most);
	if (!queue->pool)
		return -1;
	worker_pool_set_room(queue->pool, LOOKUPS_MAX);
	return 0;
}

static struct lookup *lookup_new(struct queue *queue, const char *host)
{
	size_t length = strlen(host) + 1;
	struct lookup *lookup = calloc(1, sizeof *lookup + length);

	if (!lookup)
		return NULL;
	memcpy(lookup->host, host, length);
	lookup->queue = queue;
	lookup->due = clock_now() + LOOKUP_PATIENCE_MS;
	atomic_init(&lookup->is_cancelled, false);
	return lookup;
}

/* Frees lookup when that fails. */
static struct lookup *lookup_begin(struct lookup *lookup, const struct turn_key keys[])
{
	int error;

	if (open_queue(lookup->queue) == 0 &&
	    worker_submit_for(lookup->queue->pool, &lookup->job, keys) == 0)
		return lookup;
	error = errno;
	lookup_free(lookup);
	errno = error;
	return NULL;
}

struct lookup *lookup_addresses(const char *host, int family, addresses_found *found, void *context)
{
	struct lookup *lookup = lookup_new(&address_queue, host);

	if (!lookup)
		return NULL;
	lookup->job = (struct job){ .run = find_addresses, .done = addresses_done };
	lookup->family = family;
	lookup->addresses_found = found;
	lookup->context = context;
	return lookup_begin(lookup, NULL);
}

struct lookup *lookup_names(const struct turn_owner *owner, const struct address *address,
			    names_found *found, void *context)
{
	const struct source_prefix network = { .in4 = NETWORK_IN4, .in6 = NETWORK_IN6 };
	const struct turn_key keys[] = {
		turn_key_number(owner->service),
		turn_key_source(address, network),
		turn_key_source(address, owner->lengths),
	};
	struct lookup *lookup = lookup_new(&name_queue, "");

	if (!lookup)
		return NULL;
	lookup->job = (struct job){ .run = find_names, .done = names_done };
	lookup->address = *address;
	lookup->names_found = found;
	lookup->context = context;
	return lookup_begin(lookup, keys);
}

void lookup_cancel(struct lookup *lookup)
{
	atomic_store(&lookup->is_cancelled, true);
	if (worker_cancel(lookup->queue->pool, &lookup->job))
		lookup_free(lookup);
}
