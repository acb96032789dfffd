/* Folds repeated refusals of one source. The first one is logged at once and opens a
 * window. Further refusals of that source for the same reason are counted until the
 * window ends. Then the count is written, and the next window begins; a window without
 * refusals is the last.
 *
 * At most FOLDS_MAX windows are open. Further refusals share one window for each
 * reason, so that a flood from forged addresses can use up neither memory nor the log.
 * Loop thread only. */
#ifndef USHERD_SESSION_FOLDS_H
#define USHERD_SESSION_FOLDS_H

#include "admission/verdict.h"
#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>

enum { FOLDS_MAX = 256 };

/* A window with count refusals, at least one, has ended. peer: the last of them; NULL:
 * they came from several sources. */
typedef void folds_write(void *context, enum verdict verdict, const struct address *peer,
			 uint64_t count);

struct folds;
struct folds *folds_new(folds_write *write, void *context); /* NULL with errno */

/* Writes all counts and frees everything. NULL is harmless. */
void folds_free(struct folds *folds);

/* A refusal of peer. True when it must be logged now; false when it has been counted.
 * True also when memory runs out. */
bool folds_begin(struct folds *folds, enum verdict verdict, const struct address *peer,
		 struct source_prefix lengths, uint64_t window_ms);

#endif
