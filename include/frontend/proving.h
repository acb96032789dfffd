/* The gate of proof_of_work: a client gets a puzzle, and goes on when it has sent a solution.
 * What it sends behind that line stays in the socket, for the handler. Solutions are checked
 * on threads of their own, where services take turns, and the sources of each. */
#ifndef USHERD_FRONTEND_PROVING_H
#define USHERD_FRONTEND_PROVING_H

#include "admission/puzzle.h"
#include "session/session.h"

/* For the solution, from the puzzle on; as long as the puzzle is valid. */
enum { PROVING_DEADLINE_MS = PUZZLE_VALID_MS };

/* True when the session's client has solved a puzzle within proof_of_work_time. */
bool proving_is_remembered(const struct session *session);

/* True when one more client may wait at its puzzle, which can take minutes: as many
 * descriptors as its source's pending connections have must be left for others. */
bool proving_has_room(const struct session *session);

/* What the client is to be sent. Returns 0, or -1 with errno. */
int proving_prompt(const struct session *session, char prompt[static PUZZLE_PROMPT_SIZE])
	__attribute__((warn_unused_result));

/* Waits for the solution, then calls next. If it is PROOF_RIGHT, the client is remembered.
 * If memory runs out, the session fails. */
typedef void proving_step(struct session *session, enum proof proof);
void proving_read(struct session *session, proving_step *next);

#endif
