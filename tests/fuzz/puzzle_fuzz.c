/* Gives a client's line to the reader of solutions. What it reads fits, does not depend on
 * the white space around it, and is the same when it is written again as redpwn's and kCTF's
 * solvers do; undone, it never opens a puzzle of keys that it does not know. */
#include "admission/puzzle.h"

#include "fuzz.h"

enum { STEPS = 3 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned byte_of(const struct sloth_number *number, size_t index)
{
	return index < 8 * SLOTH_LIMBS ? number->limbs[index / 8] >> index % 8 * 8 & 0xff : 0;
}

/* base64 of the lowest bytes, with as much padding as their number needs. */
static size_t write(const struct sloth_number *number, size_t size, char *text)
{
	size_t length = 0, padding = (3 - size % 3) % 3;

	text[length++] = 's';
	text[length++] = '.';
	for (size_t left = size + padding; left > 0; left -= left < 3 ? left : 3) {
		unsigned group = 0;

		for (size_t i = 1; i <= 3; i++)
			group = group << 8 |
				(left >= i + padding ? byte_of(number, left - i - padding) : 0);
		for (int shift = 18; shift >= 0; shift -= 6)
			text[length++] = digits[group >> shift & 63];
	}
	memset(text + length - padding, '=', padding);
	return length;
}

static void check_again(const struct sloth_number *number, size_t size)
{
	char text[SOLUTION_LINE_MAX];
	struct sloth_number again;

	require(puzzle_read_solution(text, write(number, size, text), &again));
	require(memcmp(&again, number, sizeof again) == 0);
}

static void check_spaces(const struct sloth_number *number, const char *line, size_t length)
{
	char text[2 * SOLUTION_LINE_MAX] = " \t";
	struct sloth_number again;

	memcpy(text + 2, line, length);
	memcpy(text + 2 + length, " \r\n", 3);
	require(puzzle_read_solution(text, length + 5, &again));
	require(memcmp(&again, number, sizeof again) == 0);
}

static void check_closed(struct sloth_number *number)
{
	static const struct puzzle_keys keys = { { { 1, 2 } }, { { 3, 4 } }, 0 };
	static const struct address client = { .in4 = { .sin_family = AF_INET },
					       .length = sizeof client.in4 };
	static const struct puzzle_terms terms = { &client, STEPS };
	unsigned char x[PUZZLE_SIZE];

	sloth_undo(number, STEPS);
	require(number->limbs[SLOTH_LIMBS - 1] >> 63 == 0);
	require(puzzle_check(&keys, &terms, number, 1000, x) == PROOF_WRONG);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	/* Of its own size, so that a read beyond it is found. */
	char *line = malloc(length > 0 ? length : 1);
	struct sloth_number number;

	require(line != NULL);
	memcpy(line, length > 0 ? (const char *)input : "", length);
	if (length <= SOLUTION_LINE_MAX && puzzle_read_solution(line, length, &number)) {
		require(number.limbs[SLOTH_LIMBS - 1] >> 63 == 0);
		check_spaces(&number, line, length);
		check_again(&number, 160);
		check_again(&number, 161);
		check_again(&number, 162);
		check_closed(&number);
	}
	free(line);
	return 0;
}
