/* The confirmed names of peers, for access lists with host names: looked up in the
 * background, with a deadline, and cached so that a busy host needs only one lookup.
 * Loop thread only. */
#ifndef USHERD_ADMISSION_HOST_NAMES_H
#define USHERD_ADMISSION_HOST_NAMES_H

#include "base/address.h"
#include "base/resolver.h"

#include <stdint.h>

struct name_query;

enum {
	NAMES_DEADLINE_MS = 10000, /* then the peer counts as nameless */
	NAMES_KEPT_MS = 60000,
	NAMES_NONE_KEPT_MS = 5000, /* for a host without a name: the cause is often a name
				    * server that fails only for a short time */
	NAMES_KEPT_MAX = 4096,     /* the least recently used are dropped */
};

/* Calls done with address's names (NULL-ended; empty: it has none, the lookup failed, or
 * took too long). When they are known already, or can't be looked up, done is called
 * before this returns, and it returns NULL; otherwise it returns the query, valid until
 * done is called. Queries of one service for one address share one lookup, which goes on,
 * and is cached, even if all of them are cancelled. Each service has lookups of its own,
 * so that it does not wait in the queue of another service. */
typedef void names_known(void *context, const char *const *names);
struct name_query *host_names_find(const struct turn_owner *owner, const struct address *address,
				   names_known *done, void *context);

/* done will not be called. */
void host_names_cancel(struct name_query *query);

/* Forgets everything, as after a reload. Queries under way are answered. */
void host_names_forget(void);

/* Looks names up by lookup instead of lookup_names, and with these times instead
 * of those above. For tests. */
typedef struct lookup *host_names_lookup(const struct turn_owner *owner,
					 const struct address *address, names_found *found,
					 void *context);
void host_names_set_lookup(host_names_lookup *lookup, uint64_t deadline_ms, uint64_t kept_ms,
			   uint64_t none_kept_ms);

#endif
