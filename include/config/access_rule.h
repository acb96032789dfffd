/* One rule of only_from or no_access: an address, a network, or a name. Names compare
 * without regard to case, and without a final dot. */
#ifndef USHERD_CONFIG_ACCESS_RULE_H
#define USHERD_CONFIG_ACCESS_RULE_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>

enum access_rule_kind {
	RULE_PREFIX, /* an address or network */
	RULE_HOST,   /* a whole host name: peer.example.org */
	RULE_DOMAIN, /* a suffix: .example.org */
};

struct access_rule {
	enum access_rule_kind kind;
	struct prefix prefix; /* RULE_PREFIX */
	char *text;           /* as written; the name for RULE_HOST and RULE_DOMAIN */
	const char *file;     /* where it is set, borrowed from the caller; may be NULL */
	int line;
};

enum { ACCESS_NAME_MAX = 253 }; /* bytes of a rule's name */

/* Without a final dot. */
size_t access_name_length(const char *name);

bool access_names_equal(const char *one, const char *other);

/* Greater is more specific; -1 for NULL. A prefix is as specific as it is long, a host
 * name more specific than any prefix; a domain less specific than any prefix of length
 * > 0 but more than length 0, a longer domain more than a shorter one. Above 0 for every
 * name. */
int access_rule_specificity(const struct access_rule *rule);

/* True when rule covers address or one of names, which is NULL or NULL-ended. */
bool access_rule_matches(const struct access_rule *rule, const struct address *address,
			 const char *const *names);

/* True when outer covers everything that inner does. Prefixes and names do not cover each
 * other. */
bool access_rule_covers(const struct access_rule *outer, const struct access_rule *inner);

#endif
