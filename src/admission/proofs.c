#include "admission/proofs.h"

#include "admission/sources.h"
#include "base/hash.h"
#include "base/prefix_hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { SWEEP = 4 }; /* how many that are over are forgotten at once */

/* Of a puzzle the first 16 bytes, of a source all. */
struct key {
	unsigned char bytes[PREFIX_KEY_SIZE];
};

_Static_assert(sizeof(struct key) >= PUZZLE_SIZE, "a puzzle fits a key");

struct entry {
	UT_hash_handle hh;
	TAILQ_ENTRY(entry) link;
	struct key key;
	uint64_t until;
	struct source *source; /* whose puzzle it is; NULL: it is not counted */
};

/* In the order in which they were added, which is that of their ends, unless a reload has
 * changed proof_of_work_time. */
struct set {
	struct entry *table;
	TAILQ_HEAD(entries, entry) entries;
};

struct proofs {
	struct puzzle_keys keys;
	struct siphash_key hash; /* clients choose which puzzles they solve */
	struct set used, clients;
	struct sources *users;
};

struct proofs *proofs_new(void)
{
	struct proofs *proofs = calloc(1, sizeof *proofs);

	if (!proofs)
		return NULL;
	TAILQ_INIT(&proofs->used.entries);
	TAILQ_INIT(&proofs->clients.entries);
	proofs->users = sources_new();
	if (proofs->users && puzzle_keys_draw(&proofs->keys) == 0 &&
	    siphash_key_draw(&proofs->hash) == 0)
		return proofs;
	proofs_free(proofs);
	return NULL;
}

/* --- a set ------------------------------------------------------------------------------ */

static struct entry *find(const struct proofs *proofs, const struct set *set, const struct key *key)
{
	unsigned hash = (unsigned)siphash(&proofs->hash, key, sizeof *key);
	struct entry *entry;

	HASH_FIND_BYHASHVALUE(hh, set->table, key, sizeof *key, hash, entry);
	return entry;
}

static void forget(struct proofs *proofs, struct set *set, struct entry *entry)
{
	if (entry->source)
		source_leave(proofs->users, entry->source);
	TAILQ_REMOVE(&set->entries, entry, link);
	HASH_DEL(set->table, entry);
	free(entry);
}

static void forget_the_over(struct proofs *proofs, struct set *set, uint64_t now)
{
	for (int i = 0; i < SWEEP; i++) {
		struct entry *first = TAILQ_FIRST(&set->entries);

		if (first && first->until <= now)
			forget(proofs, set, first);
	}
}

/* NULL: out of memory. */
static struct entry *add(struct proofs *proofs, struct set *set, const struct key *key,
			 uint64_t until)
{
	unsigned hash = (unsigned)siphash(&proofs->hash, key, sizeof *key);
	struct entry *entry = calloc(1, sizeof *entry);

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->until = until;
	HASH_ADD_BYHASHVALUE(hh, set->table, key, sizeof entry->key, hash, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&set->entries, entry, link);
	return entry;
}

static void clear(struct proofs *proofs, struct set *set)
{
	while (!TAILQ_EMPTY(&set->entries))
		forget(proofs, set, TAILQ_FIRST(&set->entries));
}

void proofs_free(struct proofs *proofs)
{
	if (!proofs)
		return;
	clear(proofs, &proofs->used);
	clear(proofs, &proofs->clients);
	sources_free(proofs->users);
	free(proofs);
}

size_t proofs_count(const struct proofs *proofs)
{
	return HASH_COUNT(proofs->used.table) + HASH_COUNT(proofs->clients.table);
}

/* --- puzzles ------------------------------------------------------------------------------ */

const char *proofs_puzzle(struct proofs *proofs, const struct puzzle_terms *terms, uint64_t now,
			  char text[static PUZZLE_TEXT_SIZE])
{
	return puzzle_new(&proofs->keys, terms, now, text);
}

static enum proof use(struct proofs *proofs, const struct address *client,
		      struct source_prefix lengths, const struct key *key, uint64_t now)
{
	struct set *used = &proofs->used;
	struct entry *entry;

	forget_the_over(proofs, used, now);
	if (find(proofs, used, key))
		return PROOF_USED;
	if (sources_running(proofs->users, client, lengths) >=
	    PROOFS_USED_MAX - HASH_COUNT(used->table))
		return PROOF_BUSY;
	/* The puzzle is as old as it is now, or older. */
	entry = add(proofs, used, key, now + PUZZLE_VALID_MS + 1000);
	if (!entry)
		return PROOF_BUSY;
	entry->source = source_enter(proofs->users, client, lengths);
	return PROOF_RIGHT;
}

enum proof proofs_redeem(struct proofs *proofs, const struct puzzle_terms *terms,
			 struct source_prefix lengths, const struct sloth_number *undone,
			 uint64_t now)
{
	struct key key = { { 0 } };
	enum proof proof = puzzle_check(&proofs->keys, terms, undone, now, key.bytes);

	return proof == PROOF_RIGHT ? use(proofs, terms->client, lengths, &key, now) : proof;
}

/* --- clients ------------------------------------------------------------------------------ */

static struct key key_of_source(const struct address *client, struct source_prefix lengths)
{
	struct prefix prefix = prefix_of_source(client, lengths);
	struct key key;

	memcpy(key.bytes, &prefix, sizeof key.bytes);
	return key;
}

void proofs_remember(struct proofs *proofs, const struct address *client,
		     struct source_prefix lengths, uint64_t now, uint64_t until)
{
	struct set *clients = &proofs->clients;
	struct key key = key_of_source(client, lengths);
	struct entry *known = find(proofs, clients, &key);

	if (known)
		forget(proofs, clients, known);
	forget_the_over(proofs, clients, now);
	if (HASH_COUNT(clients->table) >= PROOFS_CLIENTS_MAX)
		forget(proofs, clients, TAILQ_FIRST(&clients->entries));
	(void)add(proofs, clients, &key, until);
}

bool proofs_remembers(const struct proofs *proofs, const struct address *client,
		      struct source_prefix lengths, uint64_t now)
{
	struct key key = key_of_source(client, lengths);
	const struct entry *known = find(proofs, &proofs->clients, &key);

	return known && known->until > now;
}
