#include "config/access_list.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FACTORS_MAX = 256, LABEL_MAX = 63, NAME_LENGTH_MAX = 253, MAPPED_LENGTH = 96 };

/* The meaning of a word, before memory is allocated for it. */
struct meaning {
	enum access_rule_kind kind;
	const char *name; /* the word itself */
	size_t count;     /* rules it makes */
	struct prefix prefixes[FACTORS_MAX];
};

static const char *const word_texts[] = {
	[WORD_ADDED] = "was added",
	[WORD_HAS_COMMA] = "has a comma in it - remove the comma",
	[WORD_BAD_MASK] = "has no valid prefix length after the slash",
	[WORD_BAD_FACTOR] = "has braces that do not end an IPv4 address with numbers up to 255",
	[WORD_PART_OF_ADDRESS] = "is not a complete address",
	[WORD_NO_ADDRESS] = "is no address",
	[WORD_BAD_NAME] = "is no possible name of a host, domain or network",
	[WORD_NO_MEMORY] = "does not fit in memory",
};

const char *access_word_text(enum access_word what)
{
	return word_texts[what];
}

/* Moves *text past a decimal number of at most `most`. */
static bool read_number(const char **text, unsigned most, unsigned *number)
{
	const char *digit = *text;

	for (*number = 0; *digit >= '0' && *digit <= '9'; digit++) {
		*number = *number * 10 + (unsigned)(*digit - '0');
		if (*number > most)
			return false;
	}
	if (digit == *text)
		return false;
	*text = digit;
	return true;
}

/* The error for a word that could only be an address, and is none: it may be the beginning
 * of an IPv4 address. */
static enum access_word refuse_address(const char *word)
{
	unsigned octets = 0, number;

	while (octets < 4 && read_number(&word, 255, &number)) {
		octets++;
		if (*word != '.')
			break;
		word++;
	}
	return octets > 0 && octets < 4 && *word == '\0' ? WORD_PART_OF_ADDRESS : WORD_NO_ADDRESS;
}

static enum access_word means_prefix(struct meaning *meaning, struct prefix prefix)
{
	prefix_trim(&prefix);
	meaning->kind = RULE_PREFIX;
	meaning->prefixes[meaning->count++] = prefix;
	return WORD_ADDED;
}

static bool has_comma_outside_braces(const char *word)
{
	bool inside = false;

	for (; *word; word++) {
		if (*word == ',' && !inside)
			return true;
		if (*word == '{' || *word == '}')
			inside = *word == '{';
	}
	return false;
}

static enum access_word read_factors(struct meaning *meaning, const char *word)
{
	struct prefix prefix = { .family = AF_INET };
	unsigned octets = 0, number;

	for (; *word != '{'; octets++) {
		if (octets == 3 || !read_number(&word, 255, &number) || *word++ != '.')
			return WORD_BAD_FACTOR;
		prefix.bytes[octets] = (unsigned char)number;
	}
	prefix.length = (uint8_t)(8 * (octets + 1));
	do {
		word++;
		if (meaning->count == FACTORS_MAX || !read_number(&word, 255, &number))
			return WORD_BAD_FACTOR;
		prefix.bytes[octets] = (unsigned char)number;
		means_prefix(meaning, prefix);
	} while (*word == ',');
	return strcmp(word, "}") == 0 ? WORD_ADDED : WORD_BAD_FACTOR;
}

/* ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix has more than mapped addresses and
 * stays IPv6. */
static struct prefix prefix_of_mapped(const struct address *address, unsigned length)
{
	struct prefix prefix = { .family = AF_INET6, .length = (uint8_t)length };

	if (length >= MAPPED_LENGTH)
		return prefix_of(address, length - MAPPED_LENGTH);
	memset(prefix.bytes + 10, 0xff, 2);
	memcpy(prefix.bytes + 12, &address->in4.sin_addr, 4);
	return prefix;
}

static enum access_word read_network(struct meaning *meaning, const char *word)
{
	const char *mask = strchr(word, '/') + 1;
	size_t length = (size_t)(mask - 1 - word);
	char text[ADDRESS_TEXT_SIZE];
	struct address address;
	bool written_in6;
	unsigned bits;

	if (length >= sizeof text)
		return WORD_NO_ADDRESS;
	memcpy(text, word, length);
	text[length] = '\0';
	if (address_parse(&address, text, 0) < 0)
		return refuse_address(text);
	written_in6 = strchr(text, ':') != NULL;
	if (!read_number(&mask, written_in6 ? 128 : 32, &bits) || *mask)
		return WORD_BAD_MASK;
	if (written_in6 && address.any.sa_family == AF_INET)
		return means_prefix(meaning, prefix_of_mapped(&address, bits));
	return means_prefix(meaning, prefix_of(&address, bits));
}

static enum access_word read_in6(struct meaning *meaning, const char *word)
{
	struct address address;

	if (address_parse(&address, word, 0) < 0)
		return WORD_NO_ADDRESS;
	return means_prefix(meaning, prefix_of(&address, 128));
}

/* inet_aton ignores what follows a blank. */
static bool is_in4(const char *word, struct in_addr *in4)
{
	return word[strspn(word, "0123456789abcdefABCDEFxX.")] == '\0' && inet_aton(word, in4) != 0;
}

static enum access_word means_in4(struct meaning *meaning, struct in_addr in4)
{
	struct prefix prefix = { .family = AF_INET, .length = 32 };

	memcpy(prefix.bytes, &in4, sizeof in4);
	while (prefix.length > 0 && prefix.bytes[prefix.length / 8 - 1] == 0)
		prefix.length = (uint8_t)(prefix.length - 8);
	return means_prefix(meaning, prefix);
}

static bool is_label_byte(unsigned char byte)
{
	return isascii(byte) && (isalnum(byte) || byte == '-' || byte == '_');
}

static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_MAX || *label == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_label_byte((unsigned char)label[i]))
			return false;
	return true;
}

/* Without a final dot. */
static size_t name_length(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

/* No top-level domain begins with a digit, so 10.0.0.0x and 1.2.3.4-9 are
 * mistakes, not names (RFC 1123, 2.1). */
static bool is_possible_name(const char *name)
{
	const char *label = name, *end = name + name_length(name);

	if (end - name > NAME_LENGTH_MAX)
		return false;
	for (;;) {
		size_t length = strcspn(label, ".");

		if (!is_label(label, length))
			return false;
		if (label + length >= end)
			return label == name || !isdigit(*label);
		label += length + 1;
	}
}

static enum access_word read_name(struct meaning *meaning, const char *word,
				  network_lookup *network_named)
{
	bool is_domain = *word == '.';
	struct prefix network;

	if (!is_possible_name(word + is_domain))
		return WORD_BAD_NAME;
	if (!is_domain && network_named && network_named(word, &network))
		return means_prefix(meaning, network);
	meaning->kind = is_domain ? RULE_DOMAIN : RULE_HOST;
	meaning->count = 1;
	return WORD_ADDED;
}

static enum access_word read_word(struct meaning *meaning, const char *word,
				  network_lookup *network_named)
{
	struct in_addr in4;

	meaning->name = word;
	meaning->count = 0;
	if (has_comma_outside_braces(word))
		return WORD_HAS_COMMA;
	if (strpbrk(word, "{}"))
		return read_factors(meaning, word);
	if (strchr(word, '/'))
		return read_network(meaning, word);
	if (strchr(word, ':'))
		return read_in6(meaning, word);
	if (is_in4(word, &in4))
		return means_in4(meaning, in4);
	if (word[strspn(word, "0123456789.")] == '\0')
		return refuse_address(word);
	return read_name(meaning, word, network_named);
}

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

static void drop_last_rules(struct access_list *list, size_t count)
{
	while (list->count > count)
		free(list->rules[--list->count].text);
}

enum access_word access_list_add(struct access_list *list, const char *word, const char *file,
				 int line, network_lookup *network_named)
{
	size_t count = list->count;
	struct meaning meaning;
	enum access_word what = read_word(&meaning, word, network_named);

	if (what != WORD_ADDED)
		return what;
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

static bool same_name(const char *one, const char *other)
{
	size_t length = name_length(one);

	return length == name_length(other) && strncasecmp(one, other, length) == 0;
}

static bool domain_holds(const char *domain, const char *name)
{
	size_t domain_length = name_length(domain), length = name_length(name);

	return length > domain_length &&
	       strncasecmp(name + length - domain_length, domain, domain_length) == 0;
}

static bool rule_means(const struct access_rule *rule, const struct meaning *meaning)
{
	if (rule->kind != meaning->kind)
		return false;
	if (rule->kind != RULE_PREFIX)
		return same_name(rule->text, meaning->name);
	for (size_t i = 0; i < meaning->count; i++)
		if (prefix_equal(&rule->prefix, &meaning->prefixes[i]))
			return true;
	return false;
}

bool access_list_remove(struct access_list *list, const char *word)
{
	struct meaning meaning;
	bool is_understood = read_word(&meaning, word, NULL) == WORD_ADDED;
	size_t kept = 0, count = list->count;

	for (size_t i = 0; i < count; i++) {
		struct access_rule *rule = &list->rules[i];

		if (strcasecmp(rule->text, word) == 0 ||
		    (is_understood && rule_means(rule, &meaning)))
			free(rule->text);
		else
			list->rules[kept++] = *rule;
	}
	list->count = kept;
	return kept < count;
}

void access_list_clear(struct access_list *list)
{
	drop_last_rules(list, 0);
	free(list->rules);
	*list = (struct access_list){ 0 };
}

static bool names_match(const struct access_rule *rule, const char *const *names)
{
	for (; names && *names; names++)
		if (rule->kind == RULE_HOST ? same_name(rule->text, *names)
					    : domain_holds(rule->text, *names))
			return true;
	return false;
}

static bool rule_matches(const struct access_rule *rule, const struct address *address,
			 const char *const *names)
{
	if (rule->kind == RULE_PREFIX)
		return prefix_holds(&rule->prefix, address);
	return names_match(rule, names);
}

/* Greater is more specific; -1 for NULL. */
static int specificity(const struct access_rule *rule)
{
	enum { ANY_PREFIX = 1 + NAME_LENGTH_MAX + 1, ANY_HOST = ANY_PREFIX + 128 + 1 };

	if (!rule)
		return -1;
	if (rule->kind == RULE_HOST)
		return ANY_HOST;
	if (rule->kind == RULE_DOMAIN)
		return (int)name_length(rule->text);
	return rule->prefix.length > 0 ? ANY_PREFIX + rule->prefix.length : 0;
}

const struct access_rule *access_list_match(const struct access_list *list,
					    const struct address *address, const char *const *names)
{
	const struct access_rule *best = NULL;

	if (!address_is_known(address))
		return NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct access_rule *rule = &list->rules[i];

		if (rule_matches(rule, address, names) && specificity(rule) > specificity(best))
			best = rule;
	}
	return best;
}

/* For qsort and bsearch, over pointers to rules: names by kind, then by text. */
static int compare_names(const void *one, const void *other)
{
	const struct access_rule *a = *(const struct access_rule *const *)one;
	const struct access_rule *b = *(const struct access_rule *const *)other;
	size_t length = name_length(a->text), other_length = name_length(b->text);

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (length != other_length)
		return length < other_length ? -1 : 1;
	return strncasecmp(a->text, b->text, length);
}

static size_t collect_names(const struct access_list *list, const struct access_rule **names)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->rules[i].kind != RULE_PREFIX)
			names[count++] = &list->rules[i];
	return count;
}

void access_lists_settle(struct access_list *only_from, const struct access_list *no_access)
{
	const struct access_rule **names = calloc(no_access->count, sizeof *names);
	size_t count = names ? collect_names(no_access, names) : 0;

	if (count > 0)
		qsort(names, count, sizeof *names, compare_names);
	for (size_t i = 0; count > 0 && i < only_from->count; i++) {
		const struct access_rule *rule = &only_from->rules[i];

		only_from->rules[i].is_in_both =
			rule->kind != RULE_PREFIX &&
			bsearch(&rule, names, count, sizeof *names, compare_names) != NULL;
	}
	free(names);
}

bool access_list_wants_names(const struct access_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rules[i].kind != RULE_PREFIX)
			return true;
	return false;
}

static struct access_result weigh(const struct access_list *only_from,
				  const struct access_list *no_access,
				  const struct address *address, const char *const *names)
{
	const struct access_rule *allowing = access_list_match(only_from, address, names);
	const struct access_rule *denying = access_list_match(no_access, address, names);
	bool tie = denying && specificity(denying) == specificity(allowing);

	if (tie || specificity(denying) > specificity(allowing))
		return (struct access_result){ ACCESS_DENIED, denying, tie };
	if (only_from->is_set && !allowing)
		return (struct access_result){ ACCESS_DENIED, NULL, false };
	return (struct access_result){ ACCESS_ALLOWED, allowing, false };
}

/* Whether list has a name with at least this specificity. */
static bool has_name_from(const struct access_list *list, int least)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct access_rule *rule = &list->rules[i];

		if (rule->kind != RULE_PREFIX && !rule->is_in_both && specificity(rule) >= least)
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
	if (!address_is_known(address))
		return false;
	if (result->decision == ACCESS_ALLOWED)
		return has_name_from(no_access, specificity(result->rule));
	return has_name_from(only_from, specificity(result->rule) + 1);
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

static bool rule_covers(const struct access_rule *outer, const struct access_rule *inner)
{
	if (outer->kind == RULE_PREFIX || inner->kind == RULE_PREFIX)
		return outer->kind == inner->kind && prefix_covers(&outer->prefix, &inner->prefix);
	if (outer->kind == inner->kind && same_name(outer->text, inner->text))
		return true;
	return outer->kind == RULE_DOMAIN && domain_holds(outer->text, inner->text);
}

bool access_lists_overlap(const struct access_list *only_from, const struct access_list *no_access,
			  const struct access_rule **allowed, const struct access_rule **denied)
{
	for (size_t i = 0; i < only_from->count; i++) {
		for (size_t j = 0; j < no_access->count; j++) {
			const struct access_rule *one = &only_from->rules[i];
			const struct access_rule *other = &no_access->rules[j];

			if (!rule_covers(one, other) && !rule_covers(other, one))
				continue;
			*allowed = one;
			*denied = other;
			return true;
		}
	}
	return false;
}
