/* Folds what one source brings again and again: a refusal has its line at once,
 * and those of its source that follow, for the same reason, are counted until the
 * window that it opened ends. Then their count is written, and the next window
 * begins; one in which nobody came is the last.
 *
 * At most FOLDS_MOST windows are open. Refusals beyond them share one window for
 * each reason, so that a flood from forged addresses neither takes memory nor
 * writes lines without end. Loop thread only. */
#ifndef USHERD_SESSION_FOLDS_H
#define USHERD_SESSION_FOLDS_H

#include "admission/verdict.h"
#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>

enum { FOLDS_MOST = 256 };

/* A window has ended in which count refusals, at least one, came after the one
 * that had its line. peer: the last of them; NULL: they came from several sources. */
typedef void folds_write(void *context, enum verdict verdict, const struct address *peer,
			 uint64_t count);

struct folds;
struct folds *folds_new(folds_write *write, void *context); /* NULL with errno */

/* Writes what is counted and frees everything. NULL is harmless. */
void folds_free(struct folds *folds);

/* A refusal of peer, whose source is as long as lengths say. True when it is to have
 * its line now; false when it has been counted. For want of memory it has its line. */
bool folds_begin(struct folds *folds, enum verdict verdict, const struct address *peer,
		 struct source_prefix lengths, uint64_t window_ms);

#endif
