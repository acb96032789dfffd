#include "config/removal.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/lower_case.h"
#include "config/networks.h"
#include "config/rule_files.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A text or a meaning, and the rules that have it. */
struct trait {
	UT_hash_handle hh;
	struct bearer *bearers;
	char key[];
};

struct bearer {
	uint32_t word, rule; /* rule EVERY_RULE: all of the word */
	struct bearer *next;
};

#define EVERY_RULE UINT32_MAX

struct removed_word {
	uint32_t rules, left;
	bool is_file;
	bool *gone; /* by rule; NULL: none was removed alone */
};

struct removal {
	struct trait *traits;
	struct arena arena;
	struct removed_word *words;
	size_t count, left, files; /* files: words left that name one */
};

/* The first byte of a key. */
enum { BY_TEXT = 't', BY_NAME = 'n', BY_PREFIX = 'p' };

struct trait_key {
	char *bytes;
	size_t size;
};

struct removal *removal_new(void)
{
	return calloc(1, sizeof(struct removal));
}

void removal_free(struct removal *removal)
{
	if (!removal)
		return;
	HASH_CLEAR(hh, removal->traits);
	arena_free(&removal->arena);
	free(removal->words);
	free(removal);
}

/* --- keys ------------------------------------------------------------------------------ */

static struct trait_key make_key(char kind, const void *bytes, size_t size)
{
	struct trait_key key = { .bytes = malloc(size + 2), .size = size + 1 };

	if (!key.bytes)
		return key;
	key.bytes[0] = kind;
	memcpy(key.bytes + 1, bytes, size);
	key.bytes[size + 1] = '\0';
	return key;
}

/* In the path of a file the case matters. */
static struct trait_key key_of_text(const char *text)
{
	struct trait_key key = make_key(BY_TEXT, text, strlen(text));

	if (key.bytes && !names_rule_file(text))
		lower_case(key.bytes);
	return key;
}

static struct trait_key key_of_rule(const struct access_rule *rule)
{
	struct trait_key key;
	char prefix[2 + sizeof rule->prefix.bytes];

	if (rule->kind == RULE_PREFIX) {
		prefix[0] = (char)rule->prefix.family;
		prefix[1] = (char)rule->prefix.length;
		memcpy(prefix + 2, rule->prefix.bytes, sizeof rule->prefix.bytes);
		return make_key(BY_PREFIX, prefix, sizeof prefix);
	}
	key = make_key(BY_NAME, rule->text, access_name_length(rule->text));
	if (key.bytes)
		lower_case(key.bytes);
	return key;
}

static struct trait *trait_find(const struct removal *removal, const struct trait_key *key)
{
	struct trait *trait;

	HASH_FIND(hh, removal->traits, key->bytes, key->size, trait);
	return trait;
}

static struct trait *trait_new(struct removal *removal, const struct trait_key *key)
{
	struct trait *trait = arena_take(&removal->arena, sizeof *trait + key->size);

	if (!trait)
		return NULL;
	memcpy(trait->key, key->bytes, key->size);
	HASH_ADD_KEYPTR(hh, removal->traits, trait->key, key->size, trait);
	return trait->hh.tbl ? trait : NULL;
}

/* --- the words of the list ---------------------------------------------------------------- */

/* Frees the key. */
static bool bear(struct removal *removal, struct trait_key key, size_t word, size_t rule)
{
	struct bearer *bearer = arena_take(&removal->arena, sizeof *bearer);
	struct trait *trait = NULL;

	if (bearer && key.bytes && !(trait = trait_find(removal, &key)))
		trait = trait_new(removal, &key);
	free(key.bytes);
	if (!trait)
		return false;
	bearer->word = (uint32_t)word;
	bearer->rule = (uint32_t)rule;
	bearer->next = trait->bearers;
	trait->bearers = bearer;
	return true;
}

static bool has_room(struct removal *removal)
{
	struct removed_word *words;

	if (removal->count & (removal->count - 1))
		return true;
	words = reallocarray(removal->words, removal->count ? 2 * removal->count : 1,
			     sizeof *words);
	if (words)
		removal->words = words;
	return words != NULL;
}

bool removal_add(struct removal *removal, const char *word)
{
	struct access_list rules = { 0 };
	bool fine = has_room(removal);

	access_list_add(&rules, word, NULL, 0, network_named);
	fine = fine && bear(removal, key_of_text(word), removal->count, EVERY_RULE);
	for (size_t i = 0; fine && i < rules.count; i++)
		fine = bear(removal, key_of_rule(&rules.rules[i]), removal->count, i);
	if (fine) {
		uint32_t count = rules.count > 0 ? (uint32_t)rules.count : 1;

		removal->words[removal->count++] = (struct removed_word){
			.rules = count,
			.left = count,
			.is_file = names_rule_file(word),
		};
		removal->left++;
		removal->files += names_rule_file(word);
	}
	access_list_clear(&rules);
	return fine;
}

/* --- removing --------------------------------------------------------------------------------- */

static void drop_word(struct removal *removal, struct removed_word *word)
{
	word->left = 0;
	removal->left--;
	removal->files -= word->is_file;
}

static bool drop_rule(struct removal *removal, struct removed_word *word, uint32_t rule)
{
	if (word->left == 0)
		return true;
	if (!word->gone)
		word->gone = arena_take(&removal->arena, word->rules * sizeof *word->gone);
	if (!word->gone)
		return false;
	if (word->gone[rule])
		return true;
	word->gone[rule] = true;
	if (word->left == 1)
		drop_word(removal, word);
	else
		word->left--;
	return true;
}

/* Removes all words and rules that have this trait, and empties its list; frees the key. */
static bool strip(struct removal *removal, struct trait_key key, bool *any)
{
	struct trait *trait = key.bytes ? trait_find(removal, &key) : NULL;
	bool fine = key.bytes != NULL;

	free(key.bytes);
	for (; fine && trait && trait->bearers; trait->bearers = trait->bearers->next) {
		struct removed_word *word = &removal->words[trait->bearers->word];

		*any |= word->left > 0;
		if (trait->bearers->rule != EVERY_RULE)
			fine = drop_rule(removal, word, trait->bearers->rule);
		else if (word->left > 0)
			drop_word(removal, word);
	}
	return fine;
}

bool removal_take(struct removal *removal, const char *word, bool *any)
{
	struct access_list rules = { 0 };
	bool fine;

	*any = false;
	access_list_add(&rules, word, NULL, 0, NULL);
	fine = strip(removal, key_of_text(word), any);
	for (size_t i = 0; fine && i < rules.count; i++)
		fine = strip(removal, key_of_rule(&rules.rules[i]), any);
	access_list_clear(&rules);
	return fine;
}

size_t removal_left(const struct removal *removal)
{
	return removal->left;
}

bool removal_has_file(const struct removal *removal)
{
	return removal->files > 0;
}

enum remains removal_remains(const struct removal *removal, size_t number)
{
	const struct removed_word *word = &removal->words[number];

	if (word->left == 0)
		return REMAINS_NOT;
	return word->left == word->rules ? REMAINS_WHOLE : REMAINS_IN_PART;
}

bool removal_has_rule(const struct removal *removal, size_t number, size_t rule)
{
	const struct removed_word *word = &removal->words[number];

	return !word->gone || !word->gone[rule];
}
