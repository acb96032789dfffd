#include "base/sloth.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { LIMB = 64, TOP_BITS = SLOTH_BITS % LIMB, SHORT_LIMBS = 2 };

/* The bits of the highest limb. */
#define TOP_MASK (UINT64_MAX >> (LIMB - TOP_BITS))

bool sloth_from_bytes(struct sloth_number *number, const unsigned char *bytes, size_t length)
{
	for (; length > SLOTH_BYTES; length--)
		if (*bytes++ != 0)
			return false;
	memset(number, 0, sizeof *number);
	for (size_t i = 0; i < length; i++)
		number->limbs[i / 8] |= (uint64_t)bytes[length - 1 - i] << (i % 8 * 8);
	return number->limbs[SLOTH_LIMBS - 1] <= TOP_MASK;
}

/* The products of different limbs, each once. */
static void multiply_cross(const uint64_t limbs[], uint64_t product[])
{
	memset(product, 0, 2 * SLOTH_LIMBS * sizeof *product);
	for (int i = 0; i < SLOTH_LIMBS; i++) {
		uint64_t carry = 0;

		for (int j = i + 1; j < SLOTH_LIMBS; j++) {
			wide sum = (wide)limbs[i] * limbs[j] + product[i + j] + carry;

			product[i + j] = (uint64_t)sum;
			carry = (uint64_t)(sum >> LIMB);
		}
		product[i + SLOTH_LIMBS] = carry;
	}
}

/* Doubles them, and adds the squares of the limbs. */
static void add_squares(const uint64_t limbs[], uint64_t product[])
{
	uint64_t carry = 0, shifted = 0;

	for (int i = 0; i < SLOTH_LIMBS; i++) {
		uint64_t low = product[2 * i], high = product[2 * i + 1];
		wide square = (wide)limbs[i] * limbs[i];
		wide sum = (wide)(low << 1 | shifted) + (uint64_t)square + carry;

		product[2 * i] = (uint64_t)sum;
		sum = (wide)(high << 1 | low >> (LIMB - 1)) + (uint64_t)(square >> LIMB) +
		      (uint64_t)(sum >> LIMB);
		product[2 * i + 1] = (uint64_t)sum;
		carry = (uint64_t)(sum >> LIMB);
		shifted = high >> (LIMB - 1);
	}
}

/* Adds what is above 1279 bits to what is below, as 2^1279 is 1. The sum may again have one
 * bit more, and may be P, which is 0. */
static void fold(struct sloth_number *number, const uint64_t product[])
{
	uint64_t carry = 0, ones = UINT64_MAX;

	for (int i = 0; i < SLOTH_LIMBS; i++) {
		uint64_t low = product[i], above = product[i + SLOTH_LIMBS];
		uint64_t high =
			above << (LIMB - TOP_BITS) | product[i + SLOTH_LIMBS - 1] >> TOP_BITS;
		wide sum = (wide)(i < SLOTH_LIMBS - 1 ? low : low & TOP_MASK) + high + carry;

		number->limbs[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> LIMB);
	}
	carry = number->limbs[SLOTH_LIMBS - 1] >> TOP_BITS;
	number->limbs[SLOTH_LIMBS - 1] &= TOP_MASK;
	for (int i = 0; i < SLOTH_LIMBS; i++) {
		wide sum = (wide)number->limbs[i] + carry;

		number->limbs[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> LIMB);
		ones &= i < SLOTH_LIMBS - 1 ? number->limbs[i] : number->limbs[i] | ~TOP_MASK;
	}
	if (ones == UINT64_MAX)
		memset(number, 0, sizeof *number);
}

void sloth_undo(struct sloth_number *number, unsigned steps)
{
	uint64_t product[2 * SLOTH_LIMBS];

	for (unsigned i = 0; i < steps; i++) {
		number->limbs[0] ^= 1;
		multiply_cross(number->limbs, product);
		add_squares(number->limbs, product);
		fold(number, product);
	}
}

/* All of P's bits are 1: a difference from it flips every bit. */
static struct sloth_number difference(const struct sloth_number *number)
{
	struct sloth_number result;

	for (int i = 0; i < SLOTH_LIMBS; i++)
		result.limbs[i] = ~number->limbs[i];
	result.limbs[SLOTH_LIMBS - 1] &= TOP_MASK;
	return result;
}

static bool is_short(const struct sloth_number *number)
{
	uint64_t more = 0;

	for (int i = SHORT_LIMBS; i < SLOTH_LIMBS; i++)
		more |= number->limbs[i];
	return more == 0;
}

bool sloth_short(const struct sloth_number *number, unsigned char bytes[static 16])
{
	struct sloth_number other = difference(number);

	if (!is_short(number))
		number = &other;
	if (!is_short(number))
		return false;
	for (int i = 0; i < 16; i++)
		bytes[i] = (unsigned char)(number->limbs[(15 - i) / 8] >> ((15 - i) % 8 * 8));
	return true;
}
