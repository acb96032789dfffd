#include "session/folds.h"

#include "base/container_of.h"
#include "base/hash.h"
#include "base/prefix_hash.h"
#include "base/timer.h"

#include <stdlib.h>
#include <string.h>

/* A source and a reason; the key of the shared window has no prefix and is_shared set. */
struct fold_key {
	unsigned char prefix[PREFIX_KEY_SIZE];
	unsigned char verdict, is_shared;
};

/* A window. */
struct fold {
	UT_hash_handle hh;
	struct fold_key key;
	struct folds *folds;
	struct address peer; /* the last one */
	uint64_t window_ms, count;
	struct timer end;
};

struct folds {
	struct prefix_hash hash;
	struct fold *table;
	folds_write *write;
	void *context;
};

struct folds *folds_new(folds_write *write, void *context)
{
	struct folds *folds = calloc(1, sizeof *folds);

	if (!folds)
		return NULL;
	if (prefix_hash_init(&folds->hash) < 0) {
		free(folds);
		return NULL;
	}
	folds->write = write;
	folds->context = context;
	return folds;
}

static void write_count(struct fold *fold)
{
	uint64_t count = fold->count;

	fold->count = 0;
	if (count > 0)
		fold->folds->write(fold->folds->context, (enum verdict)fold->key.verdict,
				   fold->key.is_shared ? NULL : &fold->peer, count);
}

static void fold_close(struct fold *fold)
{
	timer_stop(&fold->end);
	HASH_DEL(fold->folds->table, fold);
	free(fold);
}

void folds_free(struct folds *folds)
{
	struct fold *fold, *next;

	if (!folds)
		return;
	HASH_ITER(hh, folds->table, fold, next) {
		write_count(fold);
		fold_close(fold);
	}
	free(folds);
}

static void on_end(struct timer *timer)
{
	struct fold *fold = container_of(timer, struct fold, end);

	if (fold->count == 0) {
		fold_close(fold);
		return;
	}
	timer_start(timer, fold->window_ms);
	write_count(fold);
}

static struct fold_key key_of(enum verdict verdict, const struct prefix *prefix, bool is_shared)
{
	struct fold_key key = { .verdict = (unsigned char)verdict, .is_shared = is_shared };

	if (!is_shared)
		memcpy(key.prefix, prefix, sizeof key.prefix);
	return key;
}

/* The window of key; a new one, with *is_new set, if it has none. NULL when memory runs
 * out. */
static struct fold *fold_open(struct folds *folds, const struct fold_key *key, uint32_t hash,
			      bool *is_new)
{
	struct fold *fold;

	HASH_FIND_BYHASHVALUE(hh, folds->table, key, sizeof *key, hash, fold);
	*is_new = !fold;
	if (fold || !(fold = calloc(1, sizeof *fold)))
		return fold;
	fold->key = *key;
	fold->folds = folds;
	HASH_ADD_BYHASHVALUE(hh, folds->table, key, sizeof fold->key, hash, fold);
	if (fold->hh.tbl) {
		timer_init(&fold->end, on_end);
		return fold;
	}
	free(fold);
	return NULL;
}

/* The same for a source, which may get the shared window. */
static struct fold *fold_of(struct folds *folds, enum verdict verdict, const struct prefix *source,
			    bool *is_new)
{
	struct fold_key key = key_of(verdict, source, false);
	uint32_t hash = prefix_hash(&folds->hash, source) ^ (uint32_t)verdict;
	struct fold *fold = NULL;

	if (HASH_COUNT(folds->table) >= FOLDS_MAX) {
		HASH_FIND_BYHASHVALUE(hh, folds->table, &key, sizeof key, hash, fold);
		if (!fold)
			key = key_of(verdict, source, true);
	}
	return fold_open(folds, &key, key.is_shared ? (uint32_t)verdict : hash, is_new);
}

bool folds_begin(struct folds *folds, enum verdict verdict, const struct address *peer,
		 struct source_prefix lengths, uint64_t window_ms)
{
	struct prefix source = prefix_of_source(peer, lengths);
	bool is_new;
	struct fold *fold = fold_of(folds, verdict, &source, &is_new);

	if (!fold)
		return true;
	fold->peer = *peer;
	if (!is_new) {
		fold->count++;
		return false;
	}
	fold->window_ms = window_ms;
	timer_start(&fold->end, window_ms);
	return true;
}
