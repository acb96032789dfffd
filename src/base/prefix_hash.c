#include "base/prefix_hash.h"

#include <string.h>
#include <sys/random.h>

enum { WORDS = 5 };

_Static_assert(PREFIX_KEY_SIZE <= WORDS * sizeof(uint32_t), "a prefix fits the words hashed");

/* Kernels before 5.6 do not have GRND_INSECURE, which never waits. */
int prefix_hash_init(struct prefix_hash *hash)
{
	ssize_t size = (ssize_t)sizeof hash->secrets;

	if (getrandom(hash->secrets, sizeof hash->secrets, GRND_INSECURE) == size)
		return 0;
	return getrandom(hash->secrets, sizeof hash->secrets, 0) == size ? 0 : -1;
}

/* The multilinear hash: any two different prefixes have the same value with probability
 * 2^-32 over the secrets. */
uint32_t prefix_hash(const struct prefix_hash *hash, const struct prefix *prefix)
{
	uint64_t sum = hash->secrets[WORDS];
	uint32_t words[WORDS] = { 0 };

	memcpy(words, prefix, PREFIX_KEY_SIZE);
	for (int i = 0; i < WORDS; i++)
		sum += hash->secrets[i] * words[i];
	return (uint32_t)(sum >> 32);
}
