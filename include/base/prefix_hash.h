/* A hash of prefixes that strangers can't predict. The tables keyed by prefix
 * are filled by whoever knocks: with a known hash an attacker could come from
 * addresses that all fall into one bucket. */
#ifndef USHERD_BASE_PREFIX_HASH_H
#define USHERD_BASE_PREFIX_HASH_H

#include "base/address.h"

#include <stddef.h>
#include <stdint.h>

/* The bytes of a struct prefix that count as a key: all but its padding. */
enum { PREFIX_KEY_SIZE = offsetof(struct prefix, bytes) + sizeof(((struct prefix *)0)->bytes) };

/* One for each table. */
struct prefix_hash {
	uint64_t secrets[6];
};

/* Draws new secrets. Returns 0, or -1 with errno. */
int prefix_hash_init(struct prefix_hash *hash) __attribute__((warn_unused_result));

uint32_t prefix_hash(const struct prefix_hash *hash, const struct prefix *prefix);

#endif
