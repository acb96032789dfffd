/* Reads lines: "-WORD" goes to no_access, "!ADDRESS" is the peer, "@NAME" one
 * of its names, and any other line goes to only_from. Then compares the lists and the
 * decision with the header's contract. */
#include "config/access_list.h"

#include "fuzz.h"

enum { NAMES_MAX = 8, RULES_MAX = 256 };

struct scene {
	struct access_list only_from, no_access;
	struct address peer;
	const char *names[NAMES_MAX + 1];
	size_t names_count;
};

static void check_rule(const struct access_rule *rule, const char *word)
{
	struct prefix trimmed = rule->prefix;

	require(strcmp(rule->text, word) == 0);
	if (rule->kind != RULE_PREFIX) {
		require((rule->kind == RULE_DOMAIN) == (*word == '.'));
		require(strlen(word) <= 255 && !strpbrk(word, " \t\r/:,{}*%"));
		return;
	}
	prefix_trim(&trimmed);
	require(trimmed.length == rule->prefix.length && prefix_equal(&trimmed, &rule->prefix));
	require(trimmed.family == AF_INET || trimmed.family == AF_INET6);
}

static bool is_named_network(const char *name, struct prefix *prefix)
{
	*prefix = (struct prefix){ AF_INET, 12, { 172, 31, 255, 255 } };
	return strncmp(name, "net", 3) == 0;
}

static void add_word(struct access_list *list, const char *word)
{
	size_t before = list->count;
	enum access_word what = access_list_add(list, word, "file", 1, is_named_network);

	require(access_word_text(what) != NULL);
	if (what != WORD_ADDED) {
		require(list->count == before);
		return;
	}
	require(list->is_set && list->count > before && list->count <= before + RULES_MAX);
	for (size_t i = before; i < list->count; i++)
		check_rule(&list->rules[i], word);
}

static void read_line(struct scene *scene, const char *line)
{
	struct address peer;

	if (*line == '-')
		add_word(&scene->no_access, line + 1);
	else if (*line == '!' && address_parse(&peer, line + 1, 0) == 0)
		scene->peer = peer;
	else if (*line == '@' && scene->names_count < NAMES_MAX)
		scene->names[scene->names_count++] = line + 1;
	else
		add_word(&scene->only_from, line);
}

static bool owns(const struct access_list *list, const struct access_rule *rule)
{
	return rule >= list->rules && rule < list->rules + list->count;
}

static void check_decisions(const struct scene *scene)
{
	const char *const nameless[] = { NULL };
	const struct access_list *allow = &scene->only_from, *deny = &scene->no_access;
	struct access_result asked = access_decide(allow, deny, &scene->peer, NULL);
	struct access_result without = access_decide(allow, deny, &scene->peer, nameless);
	struct access_result with = access_decide(allow, deny, &scene->peer, scene->names);

	require(with.decision != ACCESS_NEEDS_NAMES && without.decision != ACCESS_NEEDS_NAMES);
	if (asked.decision == ACCESS_NEEDS_NAMES)
		require(access_list_wants_names(allow) || access_list_wants_names(deny));
	else
		require(asked.decision == with.decision && asked.decision == without.decision);
	require(!with.tie || with.decision == ACCESS_DENIED);
	if (with.rule)
		require(owns(with.decision == ACCESS_DENIED ? deny : allow, with.rule));
	else
		require((with.decision == ACCESS_DENIED) == allow->is_set);
	if (!address_is_known(&scene->peer))
		require((asked.decision == ACCESS_DENIED) == allow->is_set);
}

static bool same_result(struct access_result one, struct access_result other)
{
	return one.decision == other.decision && one.rule == other.rule && one.tie == other.tie;
}

/* Settled lists must decide as unsettled ones, whose rules are compared one by one. */
static void check_settled(struct scene *scene)
{
	const char *const nameless[] = { NULL };
	const struct address *peer = &scene->peer;
	struct access_list *allow = &scene->only_from, *deny = &scene->no_access;
	struct access_result without = access_decide(allow, deny, peer, nameless);
	struct access_result with = access_decide(allow, deny, peer, scene->names);
	struct access_result asked = access_decide(allow, deny, peer, NULL), settled;

	access_lists_settle(allow, deny);
	require(allow->is_settled && deny->is_settled);
	require(same_result(access_decide(allow, deny, peer, nameless), without));
	require(same_result(access_decide(allow, deny, peer, scene->names), with));
	settled = access_decide(allow, deny, peer, NULL);
	if (settled.decision == ACCESS_NEEDS_NAMES)
		require(asked.decision == ACCESS_NEEDS_NAMES);
	else
		require(same_result(settled, without) && settled.decision == with.decision);
}

static void check_overlap(const struct scene *scene)
{
	const struct access_rule *allowed, *denied;

	if (!access_lists_overlap(&scene->only_from, &scene->no_access, &allowed, &denied))
		return;
	require(owns(&scene->only_from, allowed) && owns(&scene->no_access, denied));
	require((allowed->kind == RULE_PREFIX) == (denied->kind == RULE_PREFIX));
}

static void take_apart(struct access_list *list)
{
	while (list->count > 0) {
		size_t before = list->count;
		char *word = strdup(list->rules[before / 2].text);

		require(word && access_list_remove(list, word) && list->count < before);
		require(!access_list_remove(list, word));
		free(word);
	}
	access_list_clear(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct scene scene = { .names_count = 0 };
	char *text = malloc(length + 1), *rest = text, *line;

	require(text != NULL);
	if (length > 0)
		memcpy(text, bytes, length);
	text[length] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		read_line(&scene, line);
	check_decisions(&scene);
	check_settled(&scene);
	check_decisions(&scene);
	check_overlap(&scene);
	take_apart(&scene.only_from);
	take_apart(&scene.no_access);
	free(text);
	return 0;
}
