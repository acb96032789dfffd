#include "handlers/target.h"

#include "base/container_of.h"
#include "base/hash.h"
#include "base/loop.h"
#include "base/resolver.h"
#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct target {
	UT_hash_handle hh;
	struct timer freshness, patience, memory;
	struct lookup *lookup; /* NULL: none is running */
	LIST_HEAD(, target_wait) waits;
	struct address *addresses;
	size_t count;
	char name[];
};

static struct target *targets;

static void answer(struct target *target, const char *reason)
{
	struct target_wait *wait;

	timer_start(&target->freshness, TARGET_FRESH_MS);
	while ((wait = LIST_FIRST(&target->waits))) {
		target_cancel(wait);
		wait->found(wait, target->addresses, target->count, reason);
	}
}

/* The lookup takes too long: the old addresses are used again for some time; otherwise
 * every connection would wait. */
static void on_impatience(struct timer *timer)
{
	answer(container_of(timer, struct target, patience), strerror(ETIMEDOUT));
}

static void on_stale(struct timer *timer)
{
	(void)timer; /* only timer_is_pending is used */
}

static void on_forgetting(struct timer *timer)
{
	struct target *target = container_of(timer, struct target, memory);

	if (target->lookup) {
		timer_start(timer, TARGET_REMEMBERED_MS);
		return;
	}
	timer_stop(&target->freshness);
	timer_stop(&target->patience);
	HASH_DEL(targets, target);
	free(target->addresses);
	free(target);
}

static struct target *target_new(const char *name)
{
	size_t length = strlen(name);
	struct target *target = calloc(1, sizeof *target + length + 1);

	if (!target)
		return NULL;
	memcpy(target->name, name, length);
	LIST_INIT(&target->waits);
	timer_init(&target->freshness, on_stale);
	timer_init(&target->patience, on_impatience);
	timer_init(&target->memory, on_forgetting);
	timer_start(&target->memory, TARGET_REMEMBERED_MS);
	HASH_ADD_KEYPTR(hh, targets, target->name, length, target);
	if (target->hh.tbl)
		return target;
	timer_stop(&target->memory);
	free(target);
	return NULL;
}

static struct target *target_called(const char *name)
{
	struct target *target;

	HASH_FIND_STR(targets, name, target);
	return target ? target : target_new(name);
}

/* Copies the addresses of one family, in the resolver's order. */
static size_t copy_family(struct address *to, const struct address *from, size_t count,
			  sa_family_t family)
{
	size_t copied = 0;

	for (size_t i = 0; i < count; i++)
		if (from[i].any.sa_family == family)
			to[copied++] = from[i];
	return copied;
}

/* IPv4 first: xinetd uses only IPv4 for a name, and a target may have access lists with
 * addresses. */
static void remember(struct target *target, const struct address *addresses, size_t count)
{
	struct address *copy = count > 0 ? calloc(count, sizeof *copy) : NULL;

	if (!copy)
		return;
	free(target->addresses);
	target->addresses = copy;
	timer_start(&target->memory, TARGET_REMEMBERED_MS);
	target->count = copy_family(copy, addresses, count, AF_INET);
	target->count += copy_family(copy + target->count, addresses, count, AF_INET6);
}

static void on_addresses(void *context, const struct address *addresses, size_t count,
			 const char *reason)
{
	struct target *target = context;

	target->lookup = NULL;
	timer_stop(&target->patience);
	remember(target, addresses, count);
	answer(target, reason ? reason : strerror(ENOMEM));
}

static bool is_fresh(const struct target *target)
{
	return target->count > 0 && timer_is_pending(&target->freshness);
}

void target_find(struct target_wait *wait, const char *name, target_found *found)
{
	struct target *target = target_called(name);

	wait->target = NULL;
	wait->found = found;
	if (!target) {
		found(wait, NULL, 0, strerror(ENOMEM));
		return;
	}
	if (!is_fresh(target) && !target->lookup)
		target->lookup = lookup_addresses(name, AF_UNSPEC, on_addresses, target);
	if (is_fresh(target) || !target->lookup) {
		found(wait, target->addresses, target->count, strerror(errno));
		return;
	}
	wait->target = target;
	LIST_INSERT_HEAD(&target->waits, wait, link);
	if (!timer_is_pending(&target->patience))
		timer_start(&target->patience, TARGET_PATIENCE_MS);
}

void target_cancel(struct target_wait *wait)
{
	if (!wait->target)
		return;
	LIST_REMOVE(wait, link);
	wait->target = NULL;
}
