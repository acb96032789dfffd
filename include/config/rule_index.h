/* Finds the most specific of many rules in a time that hardly depends on their number:
 * prefixes of both families by a search in one sorted array, names by hash. Its arrays
 * have only numbers of rules in them, so it can be copied, and built from equal rules it
 * is equal. Pure, but for the secret of the hash. */
#ifndef USHERD_CONFIG_RULE_INDEX_H
#define USHERD_CONFIG_RULE_INDEX_H

#include "config/access_rule.h"

#include <stdint.h>

#define RULE_NONE UINT32_MAX

/* Of equal prefixes there is only the first rule's. */
struct indexed_prefix {
	struct prefix prefix;
	uint32_t outer; /* the place of the longest other prefix that covers it, or RULE_NONE */
	uint32_t rule;
};

struct name_slot {
	uint32_t hash;
	uint32_t rule; /* RULE_NONE: the slot is empty */
};

/* All zero is one that is not built. */
struct rule_index {
	bool is_built;
	struct indexed_prefix *prefixes; /* by family, bytes, length */
	uint32_t prefix_count;
	struct name_slot *slots; /* a power of two of them, at most half full */
	uint32_t slot_count;
	uint32_t *names; /* rules with names, the most specific first */
	uint32_t name_count;
	uint32_t secret; /* of the hash */
};

/* Fills in an index of rules, which must not change any more. False when memory runs out
 * or there are too many rules for it: then it is not built. */
bool rule_index_build(struct rule_index *index, const struct access_rule *rules, size_t count);

void rule_index_free(struct rule_index *index);

/* The following take the rules that the index was built of, and return the number of one,
 * of equals the first, or RULE_NONE. */

/* The longest prefix that covers prefix. */
uint32_t rule_index_find_prefix(const struct rule_index *index, const struct prefix *prefix);

/* The most specific rule that covers the peer's name: the host, or its longest domain. */
uint32_t rule_index_find_name(const struct rule_index *index, const struct access_rule *rules,
			      const char *name);

/* The rule of the same kind with the same name. */
uint32_t rule_index_find_equal(const struct rule_index *index, const struct access_rule *rules,
			       const struct access_rule *named);

/* True when there is a prefix that prefix covers. */
bool rule_index_has_within(const struct rule_index *index, const struct prefix *prefix);

#endif
