#include "admission/host_names.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/hash.h"
#include "base/prefix_hash.h"
#include "base/timer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* The same link-local address is a different host on each link. */
struct host_key {
	unsigned char bytes[PREFIX_KEY_SIZE + sizeof(uint32_t) + sizeof(uint64_t)];
};

struct name_query {
	TAILQ_ENTRY(name_query) link;
	struct host *host;
	struct timer deadline;
	names_known *done;
	void *context;
};

TAILQ_HEAD(query_list, name_query);

/* Queries wait only while a lookup runs. The lookup has a reference, so the host may be
 * forgotten meanwhile. */
struct host {
	UT_hash_handle hh;
	struct host_key key;
	unsigned references;
	bool is_listed; /* in the table */
	bool is_known;  /* a host that is listed too is in by_use */
	TAILQ_ENTRY(host) by_use;
	struct query_list queries;
	struct arena arena;
	const char *const *names; /* in arena */
	uint64_t until;           /* the names are valid */
};

static struct {
	bool is_ready;
	struct prefix_hash hash;
	struct host *hosts;
	TAILQ_HEAD(, host) by_use; /* least recently used first */
	unsigned known;
} table = { .by_use = TAILQ_HEAD_INITIALIZER(table.by_use) };

static struct {
	host_names_lookup *lookup;
	uint64_t deadline_ms, kept_ms, none_kept_ms;
} ways = { lookup_names, NAMES_DEADLINE_MS, NAMES_KEPT_MS, NAMES_NONE_KEPT_MS };

static const char *const no_names[] = { NULL };

void host_names_set_lookup(host_names_lookup *lookup, uint64_t deadline_ms, uint64_t kept_ms,
			   uint64_t none_kept_ms)
{
	ways.lookup = lookup;
	ways.deadline_ms = deadline_ms;
	ways.kept_ms = kept_ms;
	ways.none_kept_ms = none_kept_ms;
}

static void host_release(struct host *host)
{
	if (--host->references > 0)
		return;
	arena_free(&host->arena);
	free(host);
}

/* Takes host out of the table. */
static void host_forget(struct host *host)
{
	HASH_DEL(table.hosts, host);
	host->is_listed = false;
	if (host->is_known) {
		TAILQ_REMOVE(&table.by_use, host, by_use);
		table.known--;
	}
	host_release(host);
}

static void host_touch(struct host *host)
{
	TAILQ_REMOVE(&table.by_use, host, by_use);
	TAILQ_INSERT_TAIL(&table.by_use, host, by_use);
}

/* Out of memory: copies none. */
static void copy_names(struct host *host, const char *const *names)
{
	size_t count = 0;
	const char **copy;

	while (names[count])
		count++;
	copy = count > 0 ? arena_take(&host->arena, (count + 1) * sizeof *copy) : NULL;
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = arena_string(&host->arena, names[i]);
	host->names = copy && !host->arena.failed ? copy : no_names;
}

static void host_remember(struct host *host, const char *const *names)
{
	copy_names(host, names);
	host->until = clock_now() + (host->names[0] ? ways.kept_ms : ways.none_kept_ms);
	host->is_known = true;
	if (!host->is_listed)
		return;
	TAILQ_INSERT_TAIL(&table.by_use, host, by_use);
	if (++table.known > NAMES_KEPT_MAX)
		host_forget(TAILQ_FIRST(&table.by_use));
}

void host_names_cancel(struct name_query *query)
{
	timer_stop(&query->deadline);
	TAILQ_REMOVE(&query->host->queries, query, link);
	free(query);
}

static void query_answer(struct name_query *query, const char *const *names)
{
	names_known *done = query->done;
	void *context = query->context;

	host_names_cancel(query);
	done(context, names);
}

static void deadline_is_over(struct timer *timer)
{
	query_answer(container_of(timer, struct name_query, deadline), no_names);
}

/* Each answer may cancel other queries. names is NULL when the lookup was not made: then
 * nothing is remembered. */
static void lookup_is_over(void *context, const char *const *names)
{
	struct host *host = context;

	if (names)
		host_remember(host, names);
	else if (host->is_listed)
		host_forget(host);
	while (!TAILQ_EMPTY(&host->queries))
		query_answer(TAILQ_FIRST(&host->queries), names ? host->names : no_names);
	host_release(host);
}

static struct host_key key_of(const struct turn_owner *owner, const struct address *address,
			      const struct prefix *prefix)
{
	uint32_t scope = prefix->family == AF_INET6 ? address->in6.sin6_scope_id : 0;
	struct host_key key;

	memcpy(key.bytes, prefix, PREFIX_KEY_SIZE);
	memcpy(key.bytes + PREFIX_KEY_SIZE, &scope, sizeof scope);
	memcpy(key.bytes + PREFIX_KEY_SIZE + sizeof scope, &owner->service, sizeof owner->service);
	return key;
}

static struct host *host_new(const struct host_key *key, uint32_t hash)
{
	struct host *host = calloc(1, sizeof *host);

	if (!host)
		return NULL;
	host->key = *key;
	TAILQ_INIT(&host->queries);
	HASH_ADD_BYHASHVALUE(hh, table.hosts, key, sizeof host->key, hash, host);
	if (!host->hh.tbl) {
		free(host);
		return NULL;
	}
	host->is_listed = true;
	host->references = 1;
	return host;
}

static struct host *host_look_up(const struct turn_owner *owner, const struct address *address,
				 const struct host_key *key, uint32_t hash)
{
	struct host *host = host_new(key, hash);

	if (!host)
		return NULL;
	if (!ways.lookup(owner, address, lookup_is_over, host)) {
		host_forget(host);
		return NULL;
	}
	host->references++;
	return host;
}

/* The names are known or being looked up; NULL: the lookup could not begin. */
static struct host *host_of(const struct turn_owner *owner, const struct address *address)
{
	struct prefix prefix = prefix_of(address, 128);
	struct host_key key = key_of(owner, address, &prefix);
	struct host *host;
	uint32_t hash;

	if (!table.is_ready && prefix_hash_init(&table.hash) < 0)
		return NULL;
	table.is_ready = true;
	hash = prefix_hash(&table.hash, &prefix) ^ (uint32_t)(owner->service * 0x9e3779b97f4a7c15);
	HASH_FIND_BYHASHVALUE(hh, table.hosts, &key, sizeof key, hash, host);
	if (host && host->is_known && host->until <= clock_now()) {
		host_forget(host);
		host = NULL;
	}
	return host ? host : host_look_up(owner, address, &key, hash);
}

static struct name_query *query_new(struct host *host, names_known *done, void *context)
{
	struct name_query *query = malloc(sizeof *query);

	if (!query)
		return NULL;
	query->host = host;
	query->done = done;
	query->context = context;
	TAILQ_INSERT_TAIL(&host->queries, query, link);
	timer_init(&query->deadline, deadline_is_over);
	timer_start(&query->deadline, ways.deadline_ms);
	return query;
}

/* Keeps a reference, as done may forget the host. */
static void tell(struct host *host, names_known *done, void *context)
{
	host_touch(host);
	host->references++;
	done(context, host->names);
	host_release(host);
}

struct name_query *host_names_find(const struct turn_owner *owner, const struct address *address,
				   names_known *done, void *context)
{
	struct host *host = address_is_known(address) ? host_of(owner, address) : NULL;
	struct name_query *query = NULL;

	if (host && host->is_known) {
		tell(host, done, context);
		return NULL;
	}
	if (host)
		query = query_new(host, done, context);
	if (!query)
		done(context, no_names);
	return query;
}

void host_names_forget(void)
{
	struct host *host, *next;

	HASH_ITER(hh, table.hosts, host, next) {
		host_forget(host);
	}
}
