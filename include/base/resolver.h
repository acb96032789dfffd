/* Names and addresses from the resolver, which can block for long: each lookup
 * is a job on a pool of its own, so that a slow name server holds up nothing
 * but the lookups. Loop thread only. */
#ifndef USHERD_BASE_RESOLVER_H
#define USHERD_BASE_RESOLVER_H

#include "base/address.h"

#include <stddef.h>

struct lookup;

/* Told what was found. count 0: nothing; reason then says why ("Name or service
 * not known"), and is NULL otherwise. The addresses have port 0 and each stands
 * in the list once. */
typedef void addresses_found(void *context, const struct address *addresses, size_t count,
			     const char *reason);

/* Told the names of an address, NULL-ended; empty when it has none. */
typedef void names_found(void *context, const char *const *names);

enum {
	LOOKUPS_MOST = 1024,          /* at once; beyond them a lookup fails at once */
	LOOKUP_ADDRESSES_MOST = 64,   /* of one host; more are left out */
	LOOKUP_NAMES_MOST = 8,        /* of one address; more are left out */
	LOOKUP_PATIENCE_MS = 10000,   /* then no further question is asked for a lookup, so
				       * that one nobody waits for any more does not keep
				       * the others waiting */
};

/* Looks up host, a name or a numeric address, in family (AF_INET, AF_INET6 or
 * AF_UNSPEC). A mapped address is of AF_INET. Returns a handle that is good until
 * the callback is called, which never happens before this returns; NULL with
 * errno (ENOMEM, EAGAIN) when the lookup could not be begun, and then there is no
 * callback. */
struct lookup *lookup_addresses(const char *host, int family, addresses_found *found,
				void *context);

/* Looks up the names of address and keeps those that have it among their own
 * addresses: a name nobody confirms could be anything. What reads as a numeric
 * address is no name. Otherwise as above. */
struct lookup *lookup_names(const struct address *address, names_found *found, void *context);

/* The callback will not be called. The question that is being asked is asked to
 * its end, and counts until then. */
void lookup_cancel(struct lookup *lookup);

#endif
