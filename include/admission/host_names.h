/* The confirmed names of peers, for access lists that have host names in them:
 * looked up in the background, with a deadline, and remembered for a while so
 * that one busy host costs one lookup. Loop thread only. */
#ifndef USHERD_ADMISSION_HOST_NAMES_H
#define USHERD_ADMISSION_HOST_NAMES_H

#include "base/address.h"
#include "base/resolver.h"

#include <stdint.h>

struct name_query;

enum {
	NAMES_DEADLINE_MS = 10000, /* then the peer counts as nameless */
	NAMES_KEPT_MS = 60000,
	NAMES_NONE_KEPT_MS = 5000, /* that there is no name: often for no longer than a
				    * name server is out of order */
	NAMES_KEPT_MOST = 4096,    /* the ones unused for longest give way */
};

/* Calls done with address's names (NULL-ended; empty: it has none, or nobody
 * could say, or not in time). When they are known already, or can't be looked up,
 * done is called before this returns, and it returns NULL; otherwise the query,
 * good until done is called. Queries of one service for one address share one
 * lookup, which goes on, and is remembered, when none of them waits for it any more.
 * What one service asks for is looked up for another anew, as it would wait in the
 * queue of the first. */
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
