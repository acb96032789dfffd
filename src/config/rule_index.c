#include "config/rule_index.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* --- the hash of names ------------------------------------------------------------------ */

enum { PRIME = 0x7fffffff }; /* 2^31 - 1 */

/* One for all indexes of the process, as equal rules have equal indexes. A list may come
 * from strangers, who must not be able to choose names that all fall into one place. */
static uint32_t process_secret(void)
{
	static uint32_t secret;

	while (secret % PRIME < 2)
		if (getrandom(&secret, sizeof secret, 0) != sizeof secret)
			return 0;
	return secret % PRIME;
}

/* The hash of a name, from its end to its beginning, is the value of a polynomial: two
 * names have the same with a probability of at most their length in 2^31. */
static uint32_t hash_next(uint32_t hash, uint32_t secret, char letter)
{
	unsigned char byte = (unsigned char)letter;

	if (byte >= 'A' && byte <= 'Z')
		byte = (unsigned char)(byte + ('a' - 'A'));
	return (uint32_t)(((uint64_t)hash * secret + byte + 1) % PRIME);
}

static uint32_t hash_of(const char *name, size_t length, uint32_t secret)
{
	uint32_t hash = 0;

	while (length > 0)
		hash = hash_next(hash, secret, name[--length]);
	return hash;
}

static bool has_name(const struct access_rule *rule, enum access_rule_kind kind, const char *name,
		     size_t length)
{
	return rule->kind == kind && access_name_length(rule->text) == length &&
	       strncasecmp(rule->text, name, length) == 0;
}

/* The slot with that name, or the empty one where it belongs. */
static struct name_slot *find_slot(const struct rule_index *index, const struct access_rule *rules,
				   uint32_t hash, enum access_rule_kind kind, const char *name,
				   size_t length)
{
	uint32_t mask = index->slot_count - 1;

	for (uint32_t place = hash & mask;; place = (place + 1) & mask) {
		struct name_slot *slot = &index->slots[place];

		if (slot->rule == RULE_NONE ||
		    (slot->hash == hash && has_name(&rules[slot->rule], kind, name, length)))
			return slot;
	}
}

/* --- building ---------------------------------------------------------------------------- */

static int compare_keys(const struct prefix *one, const struct prefix *other)
{
	int order;

	if (one->family != other->family)
		return one->family < other->family ? -1 : 1;
	order = memcmp(one->bytes, other->bytes, sizeof one->bytes);
	return order ? order : one->length - other->length;
}

static int compare_prefixes(const void *one, const void *other)
{
	const struct indexed_prefix *a = one, *b = other;
	int order = compare_keys(&a->prefix, &b->prefix);

	return order ? order : a->rule < b->rule ? -1 : 1;
}

static void drop_repeats(struct rule_index *index)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < index->prefix_count; i++)
		if (kept == 0 ||
		    !prefix_equal(&index->prefixes[kept - 1].prefix, &index->prefixes[i].prefix))
			index->prefixes[kept++] = index->prefixes[i];
	index->prefix_count = kept;
}

/* The prefix at place, or the next outer one, that covers prefix. */
static uint32_t covering(const struct rule_index *index, uint32_t place,
			 const struct prefix *prefix)
{
	while (place != RULE_NONE && !prefix_covers(&index->prefixes[place].prefix, prefix))
		place = index->prefixes[place].outer;
	return place;
}

static bool build_prefixes(struct rule_index *index, const struct access_rule *rules, size_t count)
{
	index->prefixes = calloc(index->prefix_count + 1, sizeof *index->prefixes);
	if (!index->prefixes)
		return false;
	for (uint32_t i = 0, place = 0; i < count; i++)
		if (rules[i].kind == RULE_PREFIX)
			index->prefixes[place++] = (struct indexed_prefix){
				.prefix = rules[i].prefix,
				.rule = i,
			};
	qsort(index->prefixes, index->prefix_count, sizeof *index->prefixes, compare_prefixes);
	drop_repeats(index);
	for (uint32_t i = 0; i < index->prefix_count; i++)
		index->prefixes[i].outer =
			covering(index, i > 0 ? i - 1 : RULE_NONE, &index->prefixes[i].prefix);
	return true;
}

struct ranked_name {
	int specificity;
	uint32_t rule;
};

static int compare_ranks(const void *one, const void *other)
{
	const struct ranked_name *a = one, *b = other;

	if (a->specificity != b->specificity)
		return b->specificity - a->specificity;
	return a->rule < b->rule ? -1 : 1;
}

static bool rank_names(struct rule_index *index, const struct access_rule *rules, size_t count)
{
	struct ranked_name *ranked = calloc(index->name_count, sizeof *ranked);

	index->names = calloc(index->name_count, sizeof *index->names);
	if (!ranked || !index->names) {
		free(ranked);
		return false;
	}
	for (uint32_t i = 0, place = 0; i < count; i++)
		if (rules[i].kind != RULE_PREFIX)
			ranked[place++] =
				(struct ranked_name){ access_rule_specificity(&rules[i]), i };
	qsort(ranked, index->name_count, sizeof *ranked, compare_ranks);
	for (uint32_t i = 0; i < index->name_count; i++)
		index->names[i] = ranked[i].rule;
	free(ranked);
	return true;
}

static bool hash_names(struct rule_index *index, const struct access_rule *rules)
{
	index->slot_count = 2;
	while (index->slot_count < 2 * index->name_count)
		index->slot_count *= 2;
	index->slots = malloc(index->slot_count * sizeof *index->slots);
	if (!index->slots)
		return false;
	memset(index->slots, 0xff, index->slot_count * sizeof *index->slots);
	for (uint32_t i = 0; i < index->name_count; i++) {
		const struct access_rule *rule = &rules[index->names[i]];
		size_t length = access_name_length(rule->text);
		uint32_t hash = hash_of(rule->text, length, index->secret);
		struct name_slot *slot =
			find_slot(index, rules, hash, rule->kind, rule->text, length);

		if (slot->rule == RULE_NONE)
			*slot = (struct name_slot){ hash, index->names[i] };
	}
	return true;
}

static bool build_names(struct rule_index *index, const struct access_rule *rules, size_t count)
{
	if (index->name_count == 0)
		return true;
	index->secret = process_secret();
	return index->secret != 0 && rank_names(index, rules, count) && hash_names(index, rules);
}

bool rule_index_build(struct rule_index *index, const struct access_rule *rules, size_t count)
{
	*index = (struct rule_index){ .is_built = false };
	if (count > UINT32_MAX / 4)
		return false;
	for (size_t i = 0; i < count; i++)
		if (rules[i].kind == RULE_PREFIX)
			index->prefix_count++;
		else
			index->name_count++;
	index->is_built = build_prefixes(index, rules, count) && build_names(index, rules, count);
	if (!index->is_built)
		rule_index_free(index);
	return index->is_built;
}

void rule_index_free(struct rule_index *index)
{
	free(index->prefixes);
	free(index->slots);
	free(index->names);
	*index = (struct rule_index){ .is_built = false };
}

/* --- finding -------------------------------------------------------------------------------- */

/* How many prefixes stand before key, or are equal to it. */
static uint32_t count_up_to(const struct rule_index *index, const struct prefix *key)
{
	uint32_t first = 0, end = index->prefix_count;

	while (first < end) {
		uint32_t middle = first + (end - first) / 2;

		if (compare_keys(&index->prefixes[middle].prefix, key) <= 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* Prefixes either are apart, or one covers the other. So what covers a prefix begins
 * before it, and covers everything that begins between the two. */
uint32_t rule_index_find_prefix(const struct rule_index *index, const struct prefix *prefix)
{
	uint32_t before = count_up_to(index, prefix);
	uint32_t place = covering(index, before > 0 ? before - 1 : RULE_NONE, prefix);

	return place == RULE_NONE ? RULE_NONE : index->prefixes[place].rule;
}

bool rule_index_has_within(const struct rule_index *index, const struct prefix *prefix)
{
	uint32_t place = count_up_to(index, prefix);

	if (place > 0 && prefix_equal(&index->prefixes[place - 1].prefix, prefix))
		return true;
	return place < index->prefix_count && prefix_covers(prefix, &index->prefixes[place].prefix);
}

/* Every dot but a first one begins a domain that the name is in; longer ones come later. */
uint32_t rule_index_find_name(const struct rule_index *index, const struct access_rule *rules,
			      const char *name)
{
	size_t length = access_name_length(name);
	uint32_t hash = 0, found = RULE_NONE, host;

	if (index->name_count == 0 || length == 0)
		return RULE_NONE;
	for (size_t i = length; i-- > 0;) {
		uint32_t rule;

		hash = hash_next(hash, index->secret, name[i]);
		if (name[i] != '.' || i == 0)
			continue;
		rule = find_slot(index, rules, hash, RULE_DOMAIN, name + i, length - i)->rule;
		if (rule != RULE_NONE)
			found = rule;
	}
	host = find_slot(index, rules, hash, RULE_HOST, name, length)->rule;
	return host != RULE_NONE ? host : found;
}

uint32_t rule_index_find_equal(const struct rule_index *index, const struct access_rule *rules,
			       const struct access_rule *named)
{
	size_t length = access_name_length(named->text);

	if (index->name_count == 0)
		return RULE_NONE;
	return find_slot(index, rules, hash_of(named->text, length, index->secret), named->kind,
			 named->text, length)
		->rule;
}
