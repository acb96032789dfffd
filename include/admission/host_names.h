/* The confirmed names of peers, for access lists that have host names in them:
 * looked up in the background, with a deadline, and remembered for a while so
 * that one busy host costs one lookup. Loop thread only. */
#ifndef USHERD_ADMISSION_HOST_NAMES_H
#define USHERD_ADMISSION_HOST_NAMES_H

#include "base/address.h"

struct name_query;

enum {
	NAMES_DEADLINE_MS = 10000, /* then the peer counts as nameless */
	NAMES_KEPT_MS = 60000,
	NAMES_KEPT_MOST = 4096,    /* the ones unused for longest give way */
};

/* Calls done with address's names (NULL-ended; empty: it has none, or nobody
 * could say in time). When they are known already done is called before this
 * returns, and it returns NULL; otherwise the query, good until done is called. */
typedef void names_known(void *context, const char *const *names);
struct name_query *host_names_find(const struct address *address, names_known *done, void *context);

/* done will not be called. */
void host_names_cancel(struct name_query *query);

/* Forgets everything, as after a reload. */
void host_names_forget(void);

#endif
