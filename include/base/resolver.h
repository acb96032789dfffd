/* Names and addresses from the resolver, which can block for long: each lookup
 * is a job on a pool of its own, so that a slow name server holds up nothing
 * but the lookups.
 *
 * The addresses of hosts, which the configuration names, and the names of peers,
 * who are strangers, are looked up apart. For the latter services take turns, in
 * each of them networks, and in each of those sources: no service ever has more
 * than half of the threads, no network of a service more than a quarter, however
 * slow the name servers of its choice are. Loop thread only. */
#ifndef USHERD_BASE_RESOLVER_H
#define USHERD_BASE_RESOLVER_H

#include "base/address.h"
#include "base/turns.h"

#include <stddef.h>

struct lookup;

/* Told what was found. count 0: nothing; reason then says why ("Name or service
 * not known"), and is NULL otherwise. The addresses have port 0 and each stands
 * in the list once. */
typedef void addresses_found(void *context, const struct address *addresses, size_t count,
			     const char *reason);

/* Told the names of an address, NULL-ended; empty when it has none; NULL when
 * nobody was asked, as its turn did not come in time. */
typedef void names_found(void *context, const char *const *names);

enum {
	LOOKUPS_MOST = 1024,          /* of each kind at once, those that wait included; no
				       * owner of lookups of names has so many that there
				       * is no room for another's, see turns_set_room */
	LOOKUP_ADDRESSES_MOST = 64,   /* of one host; more are left out */
	LOOKUP_NAMES_MOST = 8,        /* of one address; more are left out */
	LOOKUP_PATIENCE_MS = 10000,   /* then no further question is asked for a lookup, so
				       * that one nobody waits for any more does not keep
				       * the others waiting */
};

/* Looks up host, a name or a numeric address, in family (AF_INET, AF_INET6 or
 * AF_UNSPEC). A mapped address is of AF_INET. Returns a handle that is good until
 * the callback is called, which never happens before this returns; NULL with
 * errno (ENOMEM; EAGAIN: too many) when the lookup could not be begun, and then
 * there is no callback. */
struct lookup *lookup_addresses(const char *host, int family, addresses_found *found,
				void *context);

/* Looks up the names of address for owner and keeps those that have it among their
 * own addresses: a name nobody confirms could be anything. What reads as a numeric
 * address, or has anything but printable ASCII, is no name. A name server has four
 * seconds at the most to answer each question. Otherwise as above. */
struct lookup *lookup_names(const struct turn_owner *owner, const struct address *address,
			    names_found *found, void *context);

/* The callback will not be called. The question that is being asked is asked to
 * its end, and counts until then. */
void lookup_cancel(struct lookup *lookup);

/* Has the calling thread wait no longer than those four seconds for the name servers,
 * whatever resolv.conf says; to be called before each question. */
void resolver_limit_waiting(void);

#endif
