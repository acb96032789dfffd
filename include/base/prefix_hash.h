/* A hash of prefixes that peers can't predict. Any peer adds keys to the tables that
 * use it: with a known hash an attacker could use addresses that all fall into one
 * bucket. */
#ifndef USHERD_BASE_PREFIX_HASH_H
#define USHERD_BASE_PREFIX_HASH_H

#include "base/address.h"

#include <stddef.h>
#include <stdint.h>

/* The bytes of a struct prefix that count as a key: all but its padding. */
enum { PREFIX_KEY_SIZE = offsetof(struct prefix, bytes) + sizeof(((struct prefix *)0)->bytes) };

/* Each table has one. */
struct prefix_hash {
	uint64_t secrets[6];
};

/* Draws new secrets. Returns 0, or -1 with errno. */
int prefix_hash_init(struct prefix_hash *hash) __attribute__((warn_unused_result));

uint32_t prefix_hash(const struct prefix_hash *hash, const struct prefix *prefix);

#endif
