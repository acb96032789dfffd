/* The targets of redirect: the addresses of a host name, looked up again from time to
 * time, but not for every connection. Loop thread only. */
#ifndef USHERD_HANDLERS_TARGET_H
#define USHERD_HANDLERS_TARGET_H

#include "base/address.h"

#include <stddef.h>
#include <sys/queue.h>

enum {
	TARGET_FRESH_MS = 30 * 1000,        /* no new lookup before */
	TARGET_REMEMBERED_MS = 3600 * 1000, /* how long old addresses are used if lookups fail */
	TARGET_PATIENCE_MS = 10 * 1000,     /* the longest wait for a lookup */
};

struct target;
struct target_wait;

/* addresses belong to the target, have port 0 and are valid during the call; none:
 * reason says why. */
typedef void target_found(struct target_wait *wait, const struct address *addresses, size_t count,
			  const char *reason);

/* A waiter for a target; embedded in its owner. */
struct target_wait {
	struct target *target; /* NULL when not waiting */
	target_found *found;
	LIST_ENTRY(target_wait) link;
};

/* Calls found once, possibly before this returns, with the addresses of the host
 * called name, IPv4 first. found must not call target_find. */
void target_find(struct target_wait *wait, const char *name, target_found *found);

/* found will not be called. Harmless if it was called, or if wait is all zero. */
void target_cancel(struct target_wait *wait);

#endif
