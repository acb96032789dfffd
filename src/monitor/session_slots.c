#include "monitor/session_slots.h"

#include "base/hash.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

/* The numbers of one service, as long as it has any. */
struct slot_table {
	UT_hash_handle hh;
	uint64_t *words; /* a bit for each number that is taken */
	size_t size;     /* of words */
	size_t first;    /* the words before this one are full */
	unsigned taken;
	char service[];
};

static struct slot_table *tables;

static struct slot_table *table_of(const char *service)
{
	size_t size = strlen(service) + 1;
	struct slot_table *table;

	HASH_FIND_STR(tables, service, table);
	if (table || !(table = calloc(1, sizeof *table + size)))
		return table;
	memcpy(table->service, service, size);
	HASH_ADD_KEYPTR(hh, tables, table->service, size - 1, table);
	if (table->hh.tbl)
		return table;
	free(table);
	return NULL;
}

static void free_unless_taken(struct slot_table *table)
{
	if (table->taken > 0)
		return;
	HASH_DEL(tables, table);
	free(table->words);
	free(table);
}

/* False: out of memory. */
static bool has_free_word(struct slot_table *table)
{
	size_t size = table->size ? 2 * table->size : 1;
	uint64_t *words;

	while (table->first < table->size && table->words[table->first] == UINT64_MAX)
		table->first++;
	if (table->first < table->size)
		return true;
	words = realloc(table->words, size * sizeof *words);
	if (!words)
		return false;
	memset(words + table->size, 0, (size - table->size) * sizeof *words);
	table->words = words;
	table->size = size;
	return true;
}

int session_slot_take(struct session_slot *slot, const char *service)
{
	struct slot_table *table = table_of(service);
	unsigned bit;

	*slot = (struct session_slot){ NULL, 0 };
	if (!table || !has_free_word(table)) {
		if (table)
			free_unless_taken(table);
		errno = ENOMEM;
		return -1;
	}
	bit = (unsigned)__builtin_ctzll(~table->words[table->first]);
	table->words[table->first] |= UINT64_C(1) << bit;
	table->taken++;
	*slot = (struct session_slot){ table, (unsigned)table->first * WORD_BITS + bit };
	return 0;
}

void session_slot_give_back(struct session_slot *slot)
{
	struct slot_table *table = slot->table;
	size_t word = slot->number / WORD_BITS;

	if (!table)
		return;
	table->words[word] &= ~(UINT64_C(1) << slot->number % WORD_BITS);
	if (word < table->first)
		table->first = word;
	table->taken--;
	free_unless_taken(table);
	slot->table = NULL;
}
