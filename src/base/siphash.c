#include "base/siphash.h"

#include <sys/random.h>

enum { ROUNDS_OF_A_WORD = 2, ROUNDS_AT_THE_END = 4 };

struct state {
	uint64_t v0, v1, v2, v3;
};

int siphash_key_draw(struct siphash_key *key)
{
	return getrandom(key, sizeof *key, 0) == (ssize_t)sizeof *key ? 0 : -1;
}

static uint64_t rotated(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

/* Figure 2.1 of the paper. */
static void mix(struct state *state, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		state->v0 += state->v1;
		state->v2 += state->v3;
		state->v1 = rotated(state->v1, 13) ^ state->v0;
		state->v3 = rotated(state->v3, 16) ^ state->v2;
		state->v0 = rotated(state->v0, 32);
		state->v2 += state->v1;
		state->v0 += state->v3;
		state->v1 = rotated(state->v1, 17) ^ state->v2;
		state->v3 = rotated(state->v3, 21) ^ state->v0;
		state->v2 = rotated(state->v2, 32);
	}
}

/* Up to 8 bytes, the least significant first. */
static uint64_t word_of(const unsigned char *bytes, size_t length)
{
	uint64_t word = 0;

	for (size_t i = 0; i < length; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void take(struct state *state, uint64_t word)
{
	state->v3 ^= word;
	mix(state, ROUNDS_OF_A_WORD);
	state->v0 ^= word;
}

/* The constants are the paper's: "somepseudorandomlygeneratedbytes". */
static struct state begin(const struct siphash_key *key)
{
	return (struct state){
		.v0 = key->words[0] ^ 0x736f6d6570736575,
		.v1 = key->words[1] ^ 0x646f72616e646f6d,
		.v2 = key->words[0] ^ 0x6c7967656e657261,
		.v3 = key->words[1] ^ 0x7465646279746573,
	};
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t length)
{
	struct state state = begin(key);
	const unsigned char *next = bytes;
	size_t left = length;

	for (; left >= 8; left -= 8, next += 8)
		take(&state, word_of(next, 8));
	take(&state, word_of(next, left) | (uint64_t)length << 56);
	state.v2 ^= 0xff;
	mix(&state, ROUNDS_AT_THE_END);
	return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}
