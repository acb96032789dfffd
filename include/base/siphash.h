/* SipHash-2-4, a keyed hash of short messages: who does not know the key can neither predict
 * it nor find two messages with the same one. Jean-Philippe Aumasson and Daniel J. Bernstein,
 * "SipHash: a fast short-input PRF", 2012. Pure, except that a key is drawn. */
#ifndef USHERD_BASE_SIPHASH_H
#define USHERD_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t words[2]; /* k0 and k1 of the paper */
};

/* Draws a key that nobody can predict. Returns 0, or -1 with errno. */
int siphash_key_draw(struct siphash_key *key) __attribute__((warn_unused_result));

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t length);

#endif
