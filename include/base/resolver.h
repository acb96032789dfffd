/* Names and addresses from the resolver, which can block for long: each lookup
 * is a job in a pool of threads, so that a slow name server delays only lookups.
 *
 * Addresses of hosts in the configuration and names of peers are looked up in
 * different pools, because peers are not trusted. For names of peers services take
 * turns, within each of them networks, and within each network sources: no service
 * ever has more than half of the threads, no network of a service more than a quarter,
 * even if its name servers are slow. Loop thread only. */
#ifndef USHERD_BASE_RESOLVER_H
#define USHERD_BASE_RESOLVER_H

#include "base/address.h"
#include "base/turns.h"

#include <stddef.h>

struct lookup;

/* Gets what was found. count 0: nothing; reason then says why ("Name or service
 * not known"), and is NULL otherwise. The addresses have port 0 and are all
 * different. */
typedef void addresses_found(void *context, const struct address *addresses, size_t count,
			     const char *reason);

/* Gets the names of an address, NULL-ended; empty when it has none; NULL when its
 * turn did not come in time. */
typedef void names_found(void *context, const char *const *names);

enum {
	LOOKUPS_MAX = 1024,         /* of each kind at once, waiting ones included; for names
				       * one owner cannot take all, see turns_set_room */
	LOOKUP_ADDRESSES_MAX = 64,  /* of one host; more are left out */
	LOOKUP_NAMES_MAX = 8,       /* of one address; more are left out */
	LOOKUP_PATIENCE_MS = 10000, /* then a lookup sends no further query: its caller has
				       * given up, and others wait for the thread */
};

/* Looks up host, a name or a numeric address, in family (AF_INET, AF_INET6 or
 * AF_UNSPEC). A mapped address is of AF_INET. Returns a handle that is good until
 * the callback is called, which never happens before this returns; NULL with
 * errno (ENOMEM; EAGAIN: too many) when the lookup could not be begun, and then
 * there is no callback. */
struct lookup *lookup_addresses(const char *host, int family, addresses_found *found,
				void *context);

/* Looks up the names of address for owner and keeps those that resolve to address: an
 * unconfirmed name proves nothing. Numeric addresses, and names with anything but
 * printable ASCII, are dropped. A name server has at most four seconds for each query.
 * Otherwise as above. */
struct lookup *lookup_names(const struct turn_owner *owner, const struct address *address,
			    names_found *found, void *context);

/* The callback will not be called. The query under way runs to its end, and counts
 * until then. */
void lookup_cancel(struct lookup *lookup);

/* Makes the calling thread wait at most those four seconds for the name servers,
 * whatever resolv.conf says; to be called before each query. */
void resolver_limit_waiting(void);

#endif
