/* Random lists, settled and with files, against the plain rule: look at every rule. */
#include "config/access_list.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 300, QUESTIONS = 60, RULES = 40, TEXT = 128, NAME_TEXT = TEXT - 1 };

/* Numbers that are the same in every run. */
static uint32_t seed;

static uint32_t pick(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Few labels and few bits, so that rules often cover each other, or are equal. */
static const char *random_name(char text[static NAME_TEXT])
{
	static const char *const labels[] = { "a", "B", "b", "example", "ORG" };
	unsigned count = 1 + pick(4);

	*text = '\0';
	for (unsigned i = 0; i < count; i++) {
		strcat(text, i > 0 ? "." : "");
		strcat(text, labels[pick(5)]);
	}
	strcat(text, pick(8) == 0 ? "." : "");
	return text;
}

static const char *random_address(char text[static TEXT])
{
	if (pick(2))
		snprintf(text, TEXT, "10.%u.%u.%u", pick(2), pick(3) * 64, pick(4) * 85);
	else
		snprintf(text, TEXT, "2001:db8:%x::%x", pick(3) << 14, pick(3));
	return text;
}

static const char *random_word(char text[static TEXT])
{
	char part[TEXT];
	size_t length;

	if (pick(2)) {
		*text = '.';
		random_name(text + pick(2));
		return text;
	}
	length = strlen(random_address(text));
	snprintf(part, sizeof part, "/%u", pick(strchr(text, ':') ? 129 : 33));
	memcpy(text + length, part, strlen(part) + 1);
	return text;
}

static void add_words(struct access_list *list, unsigned count, int line)
{
	char word[TEXT];

	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(access_list_add(list, random_word(word), NULL, line + (int)i,
						 NULL),
				 WORD_ADDED);
}

/* Some of the words are in one of two files. */
static struct access_list random_list(void)
{
	struct access_list list = { .is_set = pick(2) };

	add_words(&list, pick(RULES), 1);
	for (int file = 1; file <= 2; file++) {
		struct access_list words = { 0 };
		struct rule_set *set;

		if (pick(2))
			continue;
		add_words(&words, pick(RULES), 1000 * file);
		ck_assert_ptr_nonnull(set = rule_set_from(&words, (uint64_t)file));
		ck_assert(access_list_add_set(&list, set, NULL, 0));
		rule_set_release(set);
		access_list_clear(&words);
	}
	return list;
}

static const struct access_rule *plain_among(const struct access_rule *rules, size_t count,
					     const struct address *peer, const char *const *names,
					     const struct access_rule *best)
{
	for (size_t i = 0; i < count; i++)
		if (access_rule_matches(&rules[i], peer, names) &&
		    access_rule_specificity(&rules[i]) > access_rule_specificity(best))
			best = &rules[i];
	return best;
}

static const struct access_rule *plain_match(const struct access_list *list,
					     const struct address *peer, const char *const *names)
{
	const struct access_rule *best = plain_among(list->rules, list->count, peer, names, NULL);

	for (size_t i = 0; i < list->set_count; i++)
		best = plain_among(list->sets[i].set->rules, list->sets[i].set->count, peer, names,
				   best);
	return best;
}

static void check_decision(const struct access_list *allow, const struct access_list *deny,
			   const struct address *peer, const char *const *names)
{
	const struct access_rule *allowing = plain_match(allow, peer, names);
	const struct access_rule *denying = plain_match(deny, peer, names);
	struct access_result result = access_decide(allow, deny, peer, names);
	int allowed = access_rule_specificity(allowing), denied = access_rule_specificity(denying);
	bool refused = denied >= allowed && denying;

	ck_assert_ptr_eq(access_list_match(allow, peer, names), allowing);
	ck_assert_ptr_eq(access_list_match(deny, peer, names), denying);
	ck_assert_int_eq(result.decision,
			 refused || (allow->is_set && !allowing) ? ACCESS_DENIED : ACCESS_ALLOWED);
	ck_assert_ptr_eq(result.rule, refused ? denying : allowing);
	ck_assert_int_eq(result.tie, denying && denied == allowed);
}

static void ask(const struct access_list *allow, const struct access_list *deny)
{
	char texts[3][TEXT], address[TEXT];
	const char *names[4] = { NULL };
	const char *const nameless[] = { NULL };
	struct access_result first;
	struct address peer;

	for (uint32_t i = 0, count = pick(4); i < count; i++) {
		texts[i][0] = '.'; /* a name server may say anything */
		random_name(texts[i] + pick(2));
		names[i] = texts[i];
	}
	ck_assert_int_eq(address_parse(&peer, random_address(address), 0), 0);
	check_decision(allow, deny, &peer, names);
	first = access_decide(allow, deny, &peer, NULL);
	if (first.decision != ACCESS_NEEDS_NAMES) {
		ck_assert_int_eq(access_decide(allow, deny, &peer, names).decision, first.decision);
		ck_assert_int_eq(access_decide(allow, deny, &peer, nameless).decision,
				 first.decision);
	}
}

START_TEST(agrees_with_the_plain_rule)
{
	seed = (uint32_t)_i;
	for (int round = 0; round < ROUNDS; round++) {
		struct access_list allow = random_list(), deny = random_list();

		access_lists_settle(&allow, &deny);
		ck_assert(allow.is_settled && deny.is_settled);
		for (int i = 0; i < QUESTIONS; i++)
			ask(&allow, &deny);
		access_list_clear(&allow);
		access_list_clear(&deny);
	}
}
END_TEST

/* --- the checker's questions ---------------------------------------------------------- */

static bool plain_touches(const struct access_list *list, const struct prefix *prefix)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rules[i].kind != RULE_PREFIX ||
		    prefix_covers(&list->rules[i].prefix, prefix) ||
		    prefix_covers(prefix, &list->rules[i].prefix))
			return true;
	return false;
}

static bool plain_overlap(const struct access_list *one, const struct access_list *other)
{
	for (size_t i = 0; i < one->count; i++)
		for (size_t j = 0; j < other->count; j++)
			if (access_rule_covers(&one->rules[i], &other->rules[j]) ||
			    access_rule_covers(&other->rules[j], &one->rules[i]))
				return true;
	return false;
}

START_TEST(touches_and_overlaps_as_the_plain_rule_says)
{
	seed = 7;
	for (int round = 0; round < 5 * ROUNDS; round++) {
		struct access_list one = { 0 }, other = { 0 };
		const struct access_rule *allowed, *denied;

		add_words(&one, pick(4), 1);
		add_words(&other, pick(4), 1);
		access_lists_settle(&one, &other);
		for (size_t i = 0; i < other.count; i++)
			if (other.rules[i].kind == RULE_PREFIX)
				ck_assert_int_eq(access_list_touches(&one, &other.rules[i].prefix),
						 plain_touches(&one, &other.rules[i].prefix));
		ck_assert_int_eq(access_lists_overlap(&one, &other, &allowed, &denied),
				 plain_overlap(&one, &other));
		access_list_clear(&one);
		access_list_clear(&other);
	}
}
END_TEST

/* --- long lists --------------------------------------------------------------------------- */

enum { MANY = 100000 };

/* The i-th word of a kind. */
static const char *nth_word(int kind, unsigned i, char word[static TEXT])
{
	unsigned a = i >> 16, b = i >> 8 & 255, c = i & 255;

	switch (kind) {
	case 0:
		snprintf(word, TEXT, "10.%u.%u.%u/32", a, b, c);
		break;
	case 1:
		snprintf(word, TEXT, "2001:db8:%x:%x::%x/128", a, b, c);
		break;
	case 2:
		snprintf(word, TEXT, "h%u-%u-%u.example.org", a, b, c);
		break;
	case 3:
		snprintf(word, TEXT, ".d%u.e%u.f%u.org", a, b, c);
		break;
	default:
		strcpy(word, i % 2 ? "192.0.2.1" : ".example.org");
	}
	return word;
}

static struct access_list long_list(int kind)
{
	struct access_list list = { 0 };
	char word[TEXT];

	for (unsigned i = 0; i < MANY; i++) {
		nth_word(kind, i, word);
		ck_assert_int_eq(access_list_add(&list, word, NULL, (int)i, NULL), WORD_ADDED);
	}
	return list;
}

/* Looking at every rule would take longer than a test's timeout. */
START_TEST(decides_as_soon_over_long_lists)
{
	struct access_list allow = long_list(_i), deny = long_list(_i);
	const char *const names[] = { "a.b.c.d.example.org", "h0-7-7.example.org", NULL };
	const struct access_rule *allowed, *denied;
	struct address peer;

	ck_assert_int_eq(address_parse(&peer, "10.0.77.7", 0), 0);
	access_lists_settle(&allow, &deny);
	ck_assert(allow.is_settled);
	for (int i = 0; i < 5000; i++)
		access_decide(&allow, &deny, &peer, i % 2 ? names : NULL);
	ck_assert(access_lists_overlap(&allow, &deny, &allowed, &denied));
	access_list_clear(&allow);
	access_list_clear(&deny);
}
END_TEST

/* Prefixes in each other, as deep as they can be. */
START_TEST(finds_the_innermost_of_nested_prefixes)
{
	struct access_list list = { 0 }, none = { 0 };
	struct address peer;
	char word[TEXT];

	for (int length = 0; length <= 128; length++) {
		snprintf(word, sizeof word, "2001:db8::1/%d", length);
		ck_assert_int_eq(access_list_add(&list, word, NULL, length, NULL), WORD_ADDED);
	}
	access_lists_settle(&list, &none);
	ck_assert_int_eq(address_parse(&peer, "2001:db8::1", 0), 0);
	ck_assert_int_eq(access_list_match(&list, &peer, NULL)->line, 128);
	ck_assert_int_eq(address_parse(&peer, "2001:db8:8000::", 0), 0);
	ck_assert_int_eq(access_list_match(&list, &peer, NULL)->line, 32);
	ck_assert_int_eq(address_parse(&peer, "::1", 0), 0);
	ck_assert_int_eq(access_list_match(&list, &peer, NULL)->line, 2);
	access_list_clear(&list);
}
END_TEST

/* --- files ------------------------------------------------------------------------------------ */

static struct rule_set *set_of(const char *word, uint64_t version)
{
	struct access_list list = { 0 };
	struct rule_set *set;

	ck_assert_int_eq(access_list_add(&list, word, "file", 3, NULL), WORD_ADDED);
	ck_assert_ptr_nonnull(set = rule_set_from(&list, version));
	access_list_clear(&list);
	return set;
}

START_TEST(a_list_has_so_many_files_and_each_once)
{
	struct access_list list = { 0 };
	struct rule_set *sets[ACCESS_SETS_MAX + 1];

	for (int i = 0; i <= ACCESS_SETS_MAX; i++) {
		sets[i] = set_of("10.0.0.1", 1);
		ck_assert_int_eq(access_list_add_set(&list, sets[i], "conf", i),
				 i < ACCESS_SETS_MAX);
		ck_assert(i == ACCESS_SETS_MAX || access_list_add_set(&list, sets[i], "conf", i));
	}
	ck_assert_uint_eq(access_list_size(&list), ACCESS_SETS_MAX);
	access_list_clear(&list);
	for (int i = 0; i <= ACCESS_SETS_MAX; i++) {
		ck_assert_uint_eq(sets[i]->references, 1);
		rule_set_release(sets[i]);
	}
}
END_TEST

START_TEST(rules_of_files_can_become_the_lists_own)
{
	struct access_list list = { 0 };
	struct rule_set *set = set_of("10.0.0.1", 1);

	ck_assert_int_eq(access_list_add(&list, "10.0.0.2", "conf", 1, NULL), WORD_ADDED);
	ck_assert(access_list_add_set(&list, set, "conf", 1));
	rule_set_release(set);
	ck_assert(access_list_flatten(&list));
	ck_assert_uint_eq(list.count, 2);
	ck_assert_uint_eq(list.set_count, 0);
	ck_assert_str_eq(list.rules[1].text, "10.0.0.1");
	ck_assert_str_eq(list.rules[1].file, "file");
	ck_assert_int_eq(list.rules[1].line, 3);
	access_list_clear(&list);
}
END_TEST

START_TEST(knows_lists_whose_files_have_changed)
{
	struct rule_set *first = set_of("10.0.0.1", 1), *second = set_of("10.0.0.1", 2);
	struct access_list one = { 0 }, same = { 0 }, other = { 0 }, none = { 0 };

	ck_assert(access_list_add_set(&one, first, "conf", 1));
	ck_assert(access_list_add_set(&same, first, "conf", 2));
	ck_assert(access_list_add_set(&other, second, "conf", 1));
	ck_assert(access_lists_same_versions(&one, &same));
	ck_assert(!access_lists_same_versions(&one, &other));
	ck_assert(!access_lists_same_versions(&one, &none));
	ck_assert(access_lists_same_versions(&none, &none));
	access_list_clear(&one);
	access_list_clear(&same);
	access_list_clear(&other);
	rule_set_release(first);
	rule_set_release(second);
}
END_TEST

Suite *rule_index_suite(void)
{
	Suite *suite = suite_create("rule_index");
	TCase *oracle = tcase_create("oracle"), *scale = tcase_create("scale");
	TCase *files = tcase_create("files");

	tcase_add_loop_test(oracle, agrees_with_the_plain_rule, 0, 4);
	tcase_add_test(oracle, touches_and_overlaps_as_the_plain_rule_says);
	suite_add_tcase(suite, oracle);
	tcase_add_loop_test(scale, decides_as_soon_over_long_lists, 0, 5);
	tcase_add_test(scale, finds_the_innermost_of_nested_prefixes);
	suite_add_tcase(suite, scale);
	tcase_add_test(files, a_list_has_so_many_files_and_each_once);
	tcase_add_test(files, rules_of_files_can_become_the_lists_own);
	tcase_add_test(files, knows_lists_whose_files_have_changed);
	suite_add_tcase(suite, files);
	return suite;
}
