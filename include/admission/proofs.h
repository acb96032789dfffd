/* The proofs of work of one service: which puzzles were solved, and which clients are let in
 * without another. Each is accepted once. Memory is bounded, and used only for what was
 * solved. Time is milliseconds, as in clock_now(). Loop thread only. */
#ifndef USHERD_ADMISSION_PROOFS_H
#define USHERD_ADMISSION_PROOFS_H

#include "admission/puzzle.h"

enum {
	PROOFS_USED_MAX = 16384,    /* solved puzzles, for as long as they are valid */
	PROOFS_CLIENTS_MAX = 16384, /* of those remembered the oldest are forgotten first */
};

struct proofs;

/* With keys of its own: puzzles of another one are wrong here. NULL with errno. */
struct proofs *proofs_new(void);

/* NULL is harmless. */
void proofs_free(struct proofs *proofs);

/* puzzle_new with its keys. */
const char *proofs_puzzle(struct proofs *proofs, const struct puzzle_terms *terms, uint64_t now,
			  char text[static PUZZLE_TEXT_SIZE]);

/* puzzle_check with its keys, and PROOF_USED or PROOF_BUSY. If it is PROOF_RIGHT, the puzzle
 * is used from now on. A source may use as many as there is room left, so that there is room
 * for a source that has none. */
enum proof proofs_redeem(struct proofs *proofs, const struct puzzle_terms *terms,
			 struct source_prefix lengths, const struct sloth_number *undone,
			 uint64_t now);

/* Remembers the client's source until then. If memory runs out, it does not. */
void proofs_remember(struct proofs *proofs, const struct address *client,
		     struct source_prefix lengths, uint64_t now, uint64_t until);
bool proofs_remembers(const struct proofs *proofs, const struct address *client,
		      struct source_prefix lengths, uint64_t now);

/* How many of both are kept. For tests. */
size_t proofs_count(const struct proofs *proofs);

#endif
