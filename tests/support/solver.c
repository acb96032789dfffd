#include "support/solver.h"

#include "support/place.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

enum {
	BITS = 1279,
	DIGITS = 80, /* of 16 bits: one bit more than a number has */
	SOLUTION_SIZE = 162,
	ROOT_SQUARINGS = BITS - 2, /* (2^1279 - 1 + 1) / 4 is 2^1277 */
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_bits(unsigned number[], const char *text, size_t length)
{
	unsigned position = 0;

	for (size_t i = length; i-- > 0; position += 6) {
		const char *found = strchr(base64, text[i]);
		unsigned value;

		ck_assert_msg(found && text[i], "no base64: %s", text);
		value = (unsigned)(found - base64) << position % 16;
		number[position / 16] |= value & 0xffff;
		if (value >> 16)
			number[position / 16 + 1] |= value >> 16;
	}
}

/* The daemon's puzzles need no padding. */
static void read_number(unsigned number[static DIGITS], const char *text, size_t length)
{
	memset(number, 0, DIGITS * sizeof *number);
	ck_assert_uint_eq(length % 4, 0);
	add_bits(number, text, length);
}

static unsigned byte_of(const unsigned digits[], unsigned index)
{
	return index / 2 < DIGITS ? digits[index / 2] >> index % 2 * 8 & 0xff : 0;
}

/* base64 of the lowest bytes; size is a multiple of 3. */
static char *write_number(const unsigned digits[], unsigned size)
{
	char text[SOLUTION_SIZE / 3 * 4 + 1], *end = text;

	for (unsigned left = size; left > 0; left -= 3) {
		unsigned group = byte_of(digits, left - 1) << 16 | byte_of(digits, left - 2) << 8 |
				 byte_of(digits, left - 3);

		for (int shift = 18; shift >= 0; shift -= 6)
			*end++ = base64[group >> shift & 63];
	}
	*end = '\0';
	return textf("%s", text);
}

/* Bit 1279 is worth 1. */
static void reduce(unsigned number[], const unsigned product[])
{
	uint32_t carry = 0;

	for (int i = 0; i < DIGITS; i++) {
		unsigned above = product[DIGITS + i] << 1 | product[DIGITS + i - 1] >> 15;
		unsigned below = i == DIGITS - 1 ? product[i] & 0x7fff : product[i];

		carry += below + (above & 0xffff);
		number[i] = carry & 0xffff;
		carry >>= 16;
	}
	carry = number[DIGITS - 1] >> 15;
	number[DIGITS - 1] &= 0x7fff;
	for (int i = 0; i < DIGITS; i++) {
		carry += number[i];
		number[i] = carry & 0xffff;
		carry >>= 16;
	}
}

static void square(unsigned number[])
{
	unsigned product[2 * DIGITS + 1] = { 0 };

	for (int i = 0; i < DIGITS; i++) {
		uint32_t carry = 0;

		for (int j = 0; j < DIGITS; j++) {
			carry += number[i] * number[j] + product[i + j];
			product[i + j] = carry & 0xffff;
			carry >>= 16;
		}
		product[i + DIGITS] = carry;
	}
	reduce(number, product);
}

char *puzzle_solve(const char *puzzle)
{
	const char *x = strrchr(puzzle, '.') + 1, *difficulty = puzzle + 2;
	unsigned number[DIGITS], steps[DIGITS];

	ck_assert(strncmp(puzzle, "s.", 2) == 0 && x > difficulty);
	read_number(steps, difficulty, (size_t)(x - 1 - difficulty));
	read_number(number, x, strlen(x));
	for (unsigned i = 0; i < steps[0]; i++) {
		for (int j = 0; j < ROOT_SQUARINGS; j++)
			square(number);
		number[0] ^= 1;
	}
	return textf("s.%s", write_number(number, SOLUTION_SIZE));
}

char *puzzle_in(const char *prompt)
{
	const char *start = strstr(prompt, " sh -s ");

	ck_assert_msg(start, "there is no puzzle in: %s", prompt);
	start += strlen(" sh -s ");
	return textf("%.*s", (int)strcspn(start, "\n"), start);
}
