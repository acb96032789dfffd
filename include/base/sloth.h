/* The slow function of the puzzles of google/kctf and redpwn/pow: square roots modulo the
 * prime P = 2^1279 - 1 ("sloth", Arjen Lenstra and Benjamin Wesolowski, 2015). From x to y
 * each step takes the root x^((P+1)/4) and flips the lowest bit, about 1,277 squarings that
 * can't be shared among processors; from y to x it takes one. This is the way back, which
 * checks a solution. Pure. */
#ifndef USHERD_BASE_SLOTH_H
#define USHERD_BASE_SLOTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SLOTH_BITS = 1279,
	SLOTH_LIMBS = 20,
	SLOTH_BYTES = 160, /* of the largest number */
};

struct sloth_number {
	uint64_t limbs[SLOTH_LIMBS]; /* the least significant first; below 2^1279 */
};

/* A number of any length, the most significant byte first. False: it has more than 1279
 * bits. */
bool sloth_from_bytes(struct sloth_number *number, const unsigned char *bytes, size_t length);

/* Undoes so many steps: flips the lowest bit, then squares. The result is below P. */
void sloth_undo(struct sloth_number *number, unsigned steps);

/* Takes the one of number and P - number, of a number below P, that has at most 128 bits, and
 * writes it, the most significant byte first. The result of sloth_undo may be either, as both
 * have the same square. False: neither is that short. */
bool sloth_short(const struct sloth_number *number, unsigned char bytes[static 16]);

#endif
