#include "admission/puzzle.h"

#include "base/prefix_hash.h"
#include "config/settings.h"

#include <stdio.h>
#include <string.h>

enum {
	SEAL_SIZE = 8,
	DIFFICULTY_SIZE = 3, /* as kctf writes it, so base64 needs no padding */
	PADDED_SIZE = 18,    /* the same for x */
	SOLUTION_MAX = 162,  /* the same for solutions */
};

_Static_assert(PROOF_OF_WORK_MAX < 1 << 8 * DIFFICULTY_SIZE, "a difficulty fits its text");

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int puzzle_keys_draw(struct puzzle_keys *keys)
{
	if (siphash_key_draw(&keys->seal) < 0 || siphash_key_draw(&keys->veil) < 0)
		return -1;
	keys->next = 0;
	return 0;
}

/* --- the inside of x ------------------------------------------------------------------ */

/* x is the seal, then, veiled by it, the time and the number: otherwise it would show how long
 * the machine runs, and how many puzzles it makes. */
struct inside {
	uint32_t second, number;
};

static void put(unsigned char *bytes, uint64_t number, size_t length)
{
	for (size_t i = length; i-- > 0; number >>= 8)
		bytes[i] = (unsigned char)number;
}

static uint64_t take(const unsigned char *bytes, size_t length)
{
	uint64_t number = 0;

	for (size_t i = 0; i < length; i++)
		number = number << 8 | bytes[i];
	return number;
}

static uint64_t seal_of(const struct puzzle_keys *keys, const struct puzzle_terms *terms,
			struct inside inside)
{
	struct prefix client = prefix_of(terms->client, 128);
	unsigned char bytes[PREFIX_KEY_SIZE + 3 * sizeof(uint32_t)];

	memcpy(bytes, &client, PREFIX_KEY_SIZE);
	put(bytes + PREFIX_KEY_SIZE, terms->difficulty, 4);
	put(bytes + PREFIX_KEY_SIZE + 4, inside.second, 4);
	put(bytes + PREFIX_KEY_SIZE + 8, inside.number, 4);
	return siphash(&keys->seal, bytes, sizeof bytes);
}

static uint64_t veil_of(const struct puzzle_keys *keys, const unsigned char x[])
{
	return siphash(&keys->veil, x, SEAL_SIZE);
}

static void make(struct puzzle_keys *keys, const struct puzzle_terms *terms, uint64_t now,
		 unsigned char x[])
{
	struct inside inside = { .second = (uint32_t)(now / 1000), .number = keys->next++ };

	put(x, seal_of(keys, terms, inside), SEAL_SIZE);
	put(x + SEAL_SIZE, ((uint64_t)inside.second << 32 | inside.number) ^ veil_of(keys, x),
	    PUZZLE_SIZE - SEAL_SIZE);
}

/* --- its text --------------------------------------------------------------------------- */

/* length is a multiple of 3. Returns the end. */
static char *write_base64(char *text, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 3) {
		uint64_t group = take(bytes + i, 3);

		for (int shift = 18; shift >= 0; shift -= 6)
			*text++ = digits[group >> shift & 63];
	}
	return text;
}

const char *puzzle_new(struct puzzle_keys *keys, const struct puzzle_terms *terms, uint64_t now,
		       char text[static PUZZLE_TEXT_SIZE])
{
	unsigned char difficulty[DIFFICULTY_SIZE], x[PADDED_SIZE] = { 0 };
	char *end = text;

	put(difficulty, terms->difficulty, DIFFICULTY_SIZE);
	make(keys, terms, now, x + PADDED_SIZE - PUZZLE_SIZE);
	*end++ = 's';
	*end++ = '.';
	end = write_base64(end, difficulty, sizeof difficulty);
	*end++ = '.';
	end = write_base64(end, x, sizeof x);
	*end = '\0';
	return text;
}

/* Scripts of players look for these words: redpwn's run the rest of the first line, up to its
 * end, and wait for "solution: "; kctf's run the second command. */
const char *puzzle_prompt(const char *puzzle, char prompt[static PUZZLE_PROMPT_SIZE])
{
	snprintf(prompt, PUZZLE_PROMPT_SIZE,
		 "proof of work: curl -sSfL https://pwn.red/pow | sh -s %s\n"
		 "or: python3 <(curl -sSL https://goo.gle/kctf-pow) solve %s\n"
		 "solution: ",
		 puzzle, puzzle);
	return prompt;
}

/* --- solutions -------------------------------------------------------------------------- */

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The value of a digit of base64; -1: it is none. */
static int value_of(char digit)
{
	const char *found = digit ? strchr(digits, digit) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Text without its padding, which says nothing more than its length. Returns the number of
 * bytes, or -1: it is no base64, or too long. */
static int read_base64(const char *text, size_t length, unsigned char bytes[static SOLUTION_MAX])
{
	unsigned group = 0;
	int size = 0;

	if (length % 4 == 1 || length > SOLUTION_MAX / 3 * 4)
		return -1;
	for (size_t i = 0; i < length; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -1;
		group = group << 6 | (unsigned)value;
		if (i % 4 > 0)
			bytes[size++] = (unsigned char)(group >> (6 - 2 * (i % 4)));
	}
	return size;
}

bool puzzle_read_solution(const char *line, size_t length, struct sloth_number *solution)
{
	unsigned char bytes[SOLUTION_MAX];
	size_t padding = 0;
	int size;

	for (; length > 0 && is_space(line[length - 1]); length--)
		;
	for (; length > 0 && is_space(*line); length--)
		line++;
	if (length < 3 || line[0] != 's' || line[1] != '.')
		return false;
	line += 2;
	length -= 2;
	for (; length > 0 && padding < 2 && line[length - 1] == '='; length--)
		padding++;
	if (length == 0 || (padding > 0 && (length + padding) % 4 != 0))
		return false;
	size = read_base64(line, length, bytes);
	return size >= 0 && sloth_from_bytes(solution, bytes, (size_t)size);
}

enum proof puzzle_check(const struct puzzle_keys *keys, const struct puzzle_terms *terms,
			const struct sloth_number *undone, uint64_t now,
			unsigned char x[static PUZZLE_SIZE])
{
	struct inside inside;
	uint64_t unveiled;

	if (!sloth_short(undone, x))
		return PROOF_WRONG;
	unveiled = take(x + SEAL_SIZE, PUZZLE_SIZE - SEAL_SIZE) ^ veil_of(keys, x);
	inside = (struct inside){ .second = (uint32_t)(unveiled >> 32),
				  .number = (uint32_t)unveiled };
	if (take(x, SEAL_SIZE) != seal_of(keys, terms, inside))
		return PROOF_WRONG;
	if (now / 1000 - inside.second > PUZZLE_VALID_MS / 1000)
		return PROOF_LATE;
	return PROOF_RIGHT;
}

const char *proof_answer(enum proof proof)
{
	static const char *const answers[] = {
		[PROOF_RIGHT] = "Correct\n",
		[PROOF_WRONG] = "Incorrect: this solves no puzzle that you got here\n",
		[PROOF_LATE] = "Incorrect: the puzzle is older than 10 minutes\n",
		[PROOF_USED] = "Incorrect: this puzzle was solved before\n",
		[PROOF_BUSY] = "Too many solutions at once: try again later\n",
		[PROOF_NONE] = "Incorrect: no solution came in time\n",
		[PROOF_GONE] = "",
	};

	return answers[proof];
}
