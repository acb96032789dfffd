#include "config/access_list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The capacity for count, so that it need not be stored. */
static size_t capacity_for(size_t count)
{
	size_t capacity = 4;

	while (capacity < count)
		capacity *= 2;
	return capacity;
}

static bool has_room_for(struct access_list *list, size_t more)
{
	size_t capacity = capacity_for(list->count + more);
	struct access_rule *rules;

	if (list->rules && capacity == capacity_for(list->count))
		return true;
	rules = reallocarray(list->rules, capacity, sizeof *rules);
	if (rules)
		list->rules = rules;
	return rules != NULL;
}

static void unsettle(struct access_list *list)
{
	if (list->index)
		rule_index_free(list->index);
	free(list->index);
	list->index = NULL;
	list->is_settled = false;
}

static void drop_last_rules(struct access_list *list, size_t count)
{
	while (list->count > count)
		free(list->rules[--list->count].text);
}

enum access_word access_list_add(struct access_list *list, const char *word, const char *file,
				 int line, network_lookup *network_named)
{
	size_t count = list->count;
	struct access_meaning meaning;
	enum access_word what = access_word_read(&meaning, word, network_named);

	if (what != WORD_ADDED)
		return what;
	unsettle(list);
	if (!has_room_for(list, meaning.count))
		return WORD_NO_MEMORY;
	for (size_t i = 0; i < meaning.count; i++) {
		struct access_rule rule = { .kind = meaning.kind, .file = file, .line = line };

		if (rule.kind == RULE_PREFIX)
			rule.prefix = meaning.prefixes[i];
		rule.text = strdup(word);
		if (!rule.text) {
			drop_last_rules(list, count);
			return WORD_NO_MEMORY;
		}
		list->rules[list->count++] = rule;
	}
	list->is_set = true;
	return WORD_ADDED;
}

static bool rule_means(const struct access_rule *rule, const struct access_meaning *meaning)
{
	if (rule->kind != meaning->kind)
		return false;
	if (rule->kind != RULE_PREFIX)
		return access_names_equal(rule->text, meaning->name);
	for (size_t i = 0; i < meaning->count; i++)
		if (prefix_equal(&rule->prefix, &meaning->prefixes[i]))
			return true;
	return false;
}

bool access_list_remove(struct access_list *list, const char *word)
{
	struct access_meaning meaning;
	bool is_understood = access_word_read(&meaning, word, NULL) == WORD_ADDED;
	size_t kept = 0, count = list->count;

	unsettle(list);
	for (size_t i = 0; i < count; i++) {
		struct access_rule *rule = &list->rules[i];

		if (strcasecmp(rule->text, word) == 0 ||
		    (is_understood && rule_means(rule, &meaning)))
			free(rule->text);
		else
			list->rules[kept++] = *rule;
	}
	list->count = (uint32_t)kept;
	return kept < count;
}

/* --- files of rules -------------------------------------------------------------------- */

static void rules_free(struct access_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(rules[i].text);
	free(rules);
}

struct rule_set *rule_set_from(struct access_list *list, uint64_t version)
{
	struct rule_set *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	if (!rule_index_build(&set->index, list->rules, list->count)) {
		free(set);
		return NULL;
	}
	set->rules = list->rules;
	set->count = list->count;
	set->version = version;
	set->references = 1;
	unsettle(list);
	list->rules = NULL;
	list->count = 0;
	return set;
}

void rule_set_release(struct rule_set *set)
{
	if (--set->references > 0)
		return;
	rule_index_free(&set->index);
	rules_free(set->rules, set->count);
	free(set);
}

static bool has_set(const struct access_list *list, const struct rule_set *set)
{
	for (size_t i = 0; i < list->set_count; i++)
		if (list->sets[i].set == set)
			return true;
	return false;
}

bool access_list_add_set(struct access_list *list, struct rule_set *set, const char *file, int line)
{
	struct named_set *sets;

	list->is_set = true;
	if (has_set(list, set))
		return true;
	list->is_settled = false;
	if (list->set_count == ACCESS_SETS_MAX)
		return false;
	sets = reallocarray(list->sets, list->set_count + 1, sizeof *sets);
	if (!sets)
		return false;
	list->sets = sets;
	sets[list->set_count++] = (struct named_set){ set, file, line };
	set->references++;
	return true;
}

static void drop_sets(struct access_list *list)
{
	for (size_t i = 0; i < list->set_count; i++)
		rule_set_release(list->sets[i].set);
	free(list->sets);
	list->sets = NULL;
	list->set_count = 0;
}

static bool copy_rule(struct access_list *list, const struct access_rule *rule)
{
	struct access_rule copy = *rule;

	copy.text = has_room_for(list, 1) ? strdup(rule->text) : NULL;
	if (!copy.text)
		return false;
	list->rules[list->count++] = copy;
	return true;
}

bool access_list_flatten(struct access_list *list)
{
	unsettle(list);
	for (size_t i = 0; i < list->set_count; i++)
		for (size_t j = 0; j < list->sets[i].set->count; j++)
			if (!copy_rule(list, &list->sets[i].set->rules[j]))
				return false;
	drop_sets(list);
	return true;
}

void access_list_clear(struct access_list *list)
{
	unsettle(list);
	drop_sets(list);
	rules_free(list->rules, list->count);
	*list = (struct access_list){ 0 };
}

/* --- all parts of a list ------------------------------------------------------------------ */

/* A list's own rules, or those of one of its files. */
struct part {
	const struct access_rule *rules;
	size_t count;
	const struct rule_index *index;
};

static size_t part_count(const struct access_list *list)
{
	return list->set_count + 1;
}

static struct part part_of(const struct access_list *list, size_t number)
{
	static const struct rule_index not_built = { .is_built = false };
	static const struct rule_index of_nothing = { .is_built = true };
	const struct rule_index *without = list->count > 0 ? &not_built : &of_nothing;
	const struct rule_set *set;

	if (number == 0)
		return (struct part){ list->rules, list->count,
				      list->index ? list->index : without };
	set = list->sets[number - 1].set;
	return (struct part){ set->rules, set->count, &set->index };
}

/* True when is_so is true for a rule of list. */
static bool has_rule(const struct access_list *list, bool (*is_so)(const struct access_rule *rule))
{
	for (size_t number = 0; number < part_count(list); number++) {
		struct part part = part_of(list, number);

		for (size_t i = 0; i < part.count; i++)
			if (is_so(&part.rules[i]))
				return true;
	}
	return false;
}

static bool is_name(const struct access_rule *rule)
{
	return rule->kind != RULE_PREFIX;
}

static bool is_domain(const struct access_rule *rule)
{
	return rule->kind == RULE_DOMAIN;
}

static bool is_everybody(const struct access_rule *rule)
{
	return rule->kind == RULE_PREFIX && rule->prefix.length == 0;
}

bool access_list_wants_names(const struct access_list *list)
{
	return has_rule(list, is_name);
}

bool access_list_has_domain(const struct access_list *list)
{
	return has_rule(list, is_domain);
}

bool access_list_has_everybody(const struct access_list *list)
{
	return has_rule(list, is_everybody);
}

size_t access_list_size(const struct access_list *list)
{
	size_t size = 0;

	for (size_t number = 0; number < part_count(list); number++)
		size += part_of(list, number).count;
	return size;
}

bool access_lists_same_versions(const struct access_list *one, const struct access_list *other)
{
	if (one->set_count != other->set_count)
		return false;
	for (size_t i = 0; i < one->set_count; i++)
		if (one->sets[i].set->version != other->sets[i].set->version)
			return false;
	return true;
}

/* --- matching ------------------------------------------------------------------------------- */

static const struct access_rule *rule_at(const struct part *part, uint32_t number)
{
	return number == RULE_NONE ? NULL : &part->rules[number];
}

/* The more specific of best and rule. Of equals the one that stands first, if both are in this
 * part, otherwise best. */
static const struct access_rule *better(const struct part *part, const struct access_rule *best,
					const struct access_rule *rule)
{
	int difference = access_rule_specificity(rule) - access_rule_specificity(best);
	bool is_earlier =
		rule && best >= part->rules && best < part->rules + part->count && rule < best;

	return difference > 0 || (difference == 0 && is_earlier) ? rule : best;
}

static const struct access_rule *find_best(const struct part *part, const struct address *address,
					   const char *const *names, const struct access_rule *best)
{
	struct prefix whole = prefix_of(address, 128);
	uint32_t number = rule_index_find_prefix(part->index, &whole);

	best = better(part, best, rule_at(part, number));
	for (; names && *names; names++) {
		number = rule_index_find_name(part->index, part->rules, *names);
		best = better(part, best, rule_at(part, number));
	}
	return best;
}

/* Compares every rule. A search with the index must find the same. */
static const struct access_rule *compare_all(const struct part *part, const struct address *address,
					     const char *const *names,
					     const struct access_rule *best)
{
	for (size_t i = 0; i < part->count; i++) {
		const struct access_rule *rule = &part->rules[i];

		if (access_rule_matches(rule, address, names) &&
		    access_rule_specificity(rule) > access_rule_specificity(best))
			best = rule;
	}
	return best;
}

const struct access_rule *access_list_match(const struct access_list *list,
					    const struct address *address, const char *const *names)
{
	const struct access_rule *best = NULL;

	if (!address_is_known(address))
		return NULL;
	for (size_t number = 0; number < part_count(list); number++) {
		struct part part = part_of(list, number);

		best = part.index->is_built ? find_best(&part, address, names, best)
					    : compare_all(&part, address, names, best);
	}
	return best;
}

/* --- settling ------------------------------------------------------------------------------- */

static bool has_equal_name(const struct access_list *list, const struct access_rule *named)
{
	for (size_t number = 0; number < part_count(list); number++) {
		struct part part = part_of(list, number);

		if (rule_index_find_equal(part.index, part.rules, named) != RULE_NONE)
			return true;
	}
	return false;
}

/* The specificity of the most specific name of list that other, NULL or settled, does not
 * have; 0: there is none. */
static int find_best_name(const struct access_list *list, const struct access_list *other)
{
	int best = 0;

	for (size_t number = 0; number < part_count(list); number++) {
		struct part part = part_of(list, number);

		for (uint32_t i = 0; i < part.index->name_count; i++) {
			const struct access_rule *rule = &part.rules[part.index->names[i]];

			if (access_rule_specificity(rule) <= best)
				break;
			if (!other || !has_equal_name(other, rule)) {
				best = access_rule_specificity(rule);
				break;
			}
		}
	}
	return best;
}

/* False when memory runs out: then there is no index. */
static bool build_index(struct access_list *list)
{
	unsettle(list);
	if (list->count == 0)
		return true;
	list->index = malloc(sizeof *list->index);
	if (list->index && rule_index_build(list->index, list->rules, list->count))
		return true;
	free(list->index);
	list->index = NULL;
	return false;
}

void access_lists_settle(struct access_list *only_from, struct access_list *no_access)
{
	bool fine = build_index(only_from);

	fine &= build_index(no_access);
	if (!fine)
		return;
	no_access->best_name = find_best_name(no_access, NULL);
	only_from->best_name = find_best_name(only_from, no_access);
	only_from->is_settled = no_access->is_settled = true;
}

/* --- the decision --------------------------------------------------------------------------- */

static struct access_result weigh(const struct access_list *only_from,
				  const struct access_list *no_access,
				  const struct address *address, const char *const *names)
{
	const struct access_rule *allowing = access_list_match(only_from, address, names);
	const struct access_rule *denying = access_list_match(no_access, address, names);
	int allowed = access_rule_specificity(allowing), denied = access_rule_specificity(denying);
	bool tie = denying && denied == allowed;

	if (tie || denied > allowed)
		return (struct access_result){ ACCESS_DENIED, denying, tie };
	if (only_from->is_set && !allowing)
		return (struct access_result){ ACCESS_DENIED, NULL, false };
	return (struct access_result){ ACCESS_ALLOWED, allowing, false };
}

/* Whether list has a name with at least this specificity that can decide. */
static bool has_name_from(const struct access_list *list, int least)
{
	if (list->is_settled)
		return list->best_name > 0 && list->best_name >= least;
	for (size_t number = 0; number < part_count(list); number++) {
		struct part part = part_of(list, number);

		for (size_t i = 0; i < part.count; i++)
			if (is_name(&part.rules[i]) &&
			    access_rule_specificity(&part.rules[i]) >= least)
				return true;
	}
	return false;
}

/* Whether any names could change the decision, which was made by prefixes. To allow, a
 * name in only_from must be more specific than the rule that denies; to deny, a name in
 * no_access must be at least as specific as the rule that allows. It is enough to consider
 * a peer with only that name (for a domain: a name in it without a host rule). In the other
 * list such a peer matches only the same name, or shorter domains, and these do not
 * reverse the change. */
static bool names_could_turn(const struct access_result *result,
			     const struct access_list *only_from,
			     const struct access_list *no_access, const struct address *address)
{
	int decided = access_rule_specificity(result->rule);

	if (!address_is_known(address))
		return false;
	if (result->decision == ACCESS_ALLOWED)
		return has_name_from(no_access, decided);
	return has_name_from(only_from, decided + 1);
}

struct access_result access_decide(const struct access_list *only_from,
				   const struct access_list *no_access,
				   const struct address *address, const char *const *names)
{
	struct access_result result = weigh(only_from, no_access, address, names);

	if (!names && names_could_turn(&result, only_from, no_access, address))
		return (struct access_result){ ACCESS_NEEDS_NAMES, NULL, false };
	return result;
}

/* --- for the checker -------------------------------------------------------------------------- */

static bool part_touches(const struct part *part, const struct prefix *prefix)
{
	return !part->index->is_built || part->index->name_count > 0 ||
	       rule_index_find_prefix(part->index, prefix) != RULE_NONE ||
	       rule_index_has_within(part->index, prefix);
}

bool access_list_touches(const struct access_list *list, const struct prefix *prefix)
{
	for (size_t number = 0; number < part_count(list); number++) {
		struct part part = part_of(list, number);

		if (part_touches(&part, prefix))
			return true;
	}
	return false;
}

/* True when a rule of the part covers `inner`. */
static bool part_covers(const struct part *part, const struct access_rule *inner)
{
	if (inner->kind == RULE_PREFIX)
		return rule_index_find_prefix(part->index, &inner->prefix) != RULE_NONE;
	if (rule_index_find_equal(part->index, part->rules, inner) != RULE_NONE)
		return true;
	return rule_index_find_name(part->index, part->rules, inner->text) != RULE_NONE;
}

/* True when a rule of the part covers rule, or for a prefix is covered by it. */
static bool part_meets(const struct part *part, const struct access_rule *rule)
{
	return part_covers(part, rule) ||
	       (rule->kind == RULE_PREFIX && rule_index_has_within(part->index, &rule->prefix));
}

/* The first rule of the part that covers rule, or is covered by it. */
static const struct access_rule *find_partner(const struct part *part,
					      const struct access_rule *rule)
{
	for (size_t i = 0; i < part->count; i++)
		if (access_rule_covers(&part->rules[i], rule) ||
		    access_rule_covers(rule, &part->rules[i]))
			return &part->rules[i];
	return NULL;
}

/* A rule of `few` and one of `many` of which one covers the other. A search in `many` does not
 * find names in a domain, so these are looked at one by one. */
static bool find_meeting(const struct part *few, const struct part *many,
			 const struct access_rule **of_few, const struct access_rule **of_many)
{
	bool has_domain = false;

	for (size_t i = 0; i < few->count; i++) {
		*of_few = &few->rules[i];
		has_domain |= is_domain(*of_few);
		if (part_meets(many, *of_few) && (*of_many = find_partner(many, *of_few)))
			return true;
	}
	for (uint32_t i = 0; has_domain && i < many->index->name_count; i++) {
		*of_many = &many->rules[many->index->names[i]];
		if (part_covers(few, *of_many) && (*of_few = find_partner(few, *of_many)))
			return true;
	}
	return false;
}

/* Builds the index of a part that has none. The caller frees it. False when memory runs out. */
static bool index_part(struct part *part, struct rule_index *index)
{
	*index = (struct rule_index){ .is_built = false };
	if (part->index->is_built)
		return true;
	part->index = index;
	return rule_index_build(index, part->rules, part->count);
}

static bool parts_overlap(struct part only_from, struct part no_access,
			  const struct access_rule **allowed, const struct access_rule **denied)
{
	struct rule_index one, other;
	bool found = false, fine;

	if (only_from.count == 0 || no_access.count == 0)
		return false;
	fine = index_part(&only_from, &one);
	fine &= index_part(&no_access, &other);
	if (fine)
		found = only_from.count < no_access.count
				? find_meeting(&only_from, &no_access, allowed, denied)
				: find_meeting(&no_access, &only_from, denied, allowed);
	rule_index_free(&one);
	rule_index_free(&other);
	return found;
}

bool access_lists_overlap(const struct access_list *only_from, const struct access_list *no_access,
			  const struct access_rule **allowed, const struct access_rule **denied)
{
	for (size_t i = 0; i < part_count(only_from); i++)
		for (size_t j = 0; j < part_count(no_access); j++)
			if (parts_overlap(part_of(only_from, i), part_of(no_access, j), allowed,
					  denied))
				return true;
	return false;
}
