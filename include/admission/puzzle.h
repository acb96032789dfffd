/* The puzzles of proof_of_work: their text, and what a solution tells. google/kctf and
 * redpwn/pow define the form ("s." and base64, RFC 4648, of big-endian numbers), so their
 * solvers solve them. A puzzle is a difficulty D and a number x of 128 bits; the solution is
 * x after D steps of base/sloth.
 *
 * Nothing is kept of a puzzle: x has inside when it was made, a number that no other puzzle
 * has, and a seal over these, the client and the difficulty. Undoing the steps from a solution
 * gives x again. Who does not have the keys can't make an x with a right seal, so a solution
 * can't be made backwards, from its end. Pure, except that keys are drawn. */
#ifndef USHERD_ADMISSION_PUZZLE_H
#define USHERD_ADMISSION_PUZZLE_H

#include "base/address.h"
#include "base/siphash.h"
#include "base/sloth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PUZZLE_SIZE = 16,         /* bytes of x */
	PUZZLE_TEXT_SIZE = 40,    /* with the final NUL */
	PUZZLE_PROMPT_SIZE = 256, /* the same */
	SOLUTION_LINE_MAX = 256,  /* with its newline */
	PUZZLE_VALID_MS = 600000,
};

/* Of one service. All its puzzles fail when it draws others. */
struct puzzle_keys {
	struct siphash_key seal, veil;
	uint32_t next; /* the number of the next puzzle */
};

/* Returns 0, or -1 with errno. */
int puzzle_keys_draw(struct puzzle_keys *keys) __attribute__((warn_unused_result));

/* Whom a puzzle is for, and how hard it is. */
struct puzzle_terms {
	const struct address *client; /* its port does not count */
	unsigned difficulty;          /* 1 to PROOF_OF_WORK_MAX */
};

/* A new puzzle as the solvers take it: "s.AAAB.AAC..." Time is milliseconds, as in
 * clock_now(). Returns text. */
const char *puzzle_new(struct puzzle_keys *keys, const struct puzzle_terms *terms, uint64_t now,
		       char text[static PUZZLE_TEXT_SIZE]);

/* What is sent to a client: how to solve the puzzle, and where to write. Returns prompt. */
const char *puzzle_prompt(const char *puzzle, char prompt[static PUZZLE_PROMPT_SIZE]);

/* Reads the line of a client, with or without its newline: "s." and base64 of the solution.
 * White space around it does not count. False: it can't be a solution. */
bool puzzle_read_solution(const char *line, size_t length, struct sloth_number *solution);

enum proof {
	PROOF_RIGHT,
	PROOF_WRONG, /* of no puzzle for this client, of this difficulty, with these keys */
	PROOF_LATE,  /* the puzzle was made more than PUZZLE_VALID_MS ago */
	PROOF_USED,  /* it was solved before */
	PROOF_BUSY,  /* there is no room to remember that it was used, or to check it */
	PROOF_NONE,  /* no solution came in time */
	PROOF_GONE,  /* the client has closed */
};

/* What a solution proves, its steps undone: PROOF_RIGHT, _WRONG or _LATE. x is set unless it
 * is wrong. */
enum proof puzzle_check(const struct puzzle_keys *keys, const struct puzzle_terms *terms,
			const struct sloth_number *undone, uint64_t now,
			unsigned char x[static PUZZLE_SIZE]);

/* The line that answers a client, with its newline; "" for PROOF_GONE. */
const char *proof_answer(enum proof proof);

#endif
