/* Where redirections lead: the addresses of a host name, looked up anew as time
 * goes by, yet not for every connection. Loop thread only. */
#ifndef USHERD_HANDLERS_TARGET_H
#define USHERD_HANDLERS_TARGET_H

#include "base/address.h"

#include <stddef.h>
#include <sys/queue.h>

enum {
	TARGET_FRESH_MS = 30 * 1000,        /* how long nobody looks again */
	TARGET_REMEMBERED_MS = 3600 * 1000, /* how long the old addresses are better than none */
	TARGET_PATIENCE_MS = 10 * 1000,     /* with a lookup */
};

struct target;
struct target_wait;

/* addresses belong to the target, have port 0 and are good during the call; none:
 * reason says why. */
typedef void target_found(struct target_wait *wait, const struct address *addresses,
			  size_t count, const char *reason);

/* Somebody who waits for a target; embedded in its owner. */
struct target_wait {
	struct target *target; /* NULL when not waiting */
	target_found *found;
	LIST_ENTRY(target_wait) link;
};

/* Calls found once, possibly before this returns, with the addresses of the host
 * called name, IPv4 first. found may not ask for a target itself. */
void target_find(struct target_wait *wait, const char *name, target_found *found);

/* found will not be called. Harmless when it was, or when wait is all zero. */
void target_cancel(struct target_wait *wait);

#endif
