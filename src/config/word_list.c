#include "config/word_list.h"

#include "config/bounds.h"
#include "config/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool report_memory(struct problems *problems)
{
	problem_add(problems, ERROR, NULL, 0, "out of memory");
	return false;
}

static bool word_list_add(struct word_list *list, const struct word *word)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 8;
		const struct word **words = reallocarray(list->words, capacity, sizeof *words);

		if (!words)
			return false;
		list->words = words;
		list->capacity = capacity;
	}
	list->words[list->count++] = word;
	return true;
}

/* --- removing ------------------------------------------------------------------ */

bool word_list_drop(struct word_list *list, const char *text)
{
	size_t kept = 0, count = list->count;

	for (size_t i = 0; i < count; i++)
		if (strcasecmp(list->words[i]->text, text) != 0)
			list->words[kept++] = list->words[i];
	list->count = kept;
	return kept < count;
}

/* A word that the list owns, as a replacement of origin. */
static const struct word *make_word(struct word_list *list, const struct word *origin,
				    const char *text)
{
	struct word **made = reallocarray(list->made, list->made_count + 1, sizeof *made);
	size_t size = strlen(text) + 1;
	struct word *word;

	if (!made)
		return NULL;
	list->made = made;
	word = malloc(sizeof *word + size);
	if (!word)
		return NULL;
	*word = (struct word){ .file = origin->file, .line = origin->line };
	memcpy(word->text, text, size);
	list->made[list->made_count++] = word;
	return word;
}

/* Adds a word for each remaining rule of origin. */
static bool add_rules(struct word_list *list, const struct word *origin,
		      const struct access_list *rules)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < rules->count; i++) {
		const struct word *word =
			make_word(list, origin, prefix_text(&rules->rules[i].prefix, text));

		if (!word || !word_list_add(list, word))
			return false;
	}
	return true;
}

/* Adds to left the rest of word after removing the rules of `removed`. */
static bool add_remainder(struct word_list *left, const struct word *word, const char *removed,
			  bool *any)
{
	struct access_list rules = { 0 };
	bool added = true;

	if (access_list_add(&rules, word->text, NULL, 0, network_named) != WORD_ADDED ||
	    !access_list_remove(&rules, removed)) {
		added = word_list_add(left, word);
	} else {
		*any = true;
		added = add_rules(left, word, &rules);
	}
	access_list_clear(&rules);
	return added;
}

/* Removes all rules with the meaning of `removed` from an access list. *any: whether there
 * were any. False when memory runs out. */
static bool remove_meaning(struct word_list *list, const char *removed, bool *any)
{
	struct word_list left = {
		.file = list->file,
		.line = list->line,
		.made = list->made,
		.made_count = list->made_count,
	};
	bool added = true;

	*any = false;
	for (size_t i = 0; i < list->count && added; i++)
		added = add_remainder(&left, list->words[i], removed, any);
	free(list->words);
	left.is_set = true;
	*list = left;
	return added;
}

/* True for a valid word of an access list. */
static bool check_access_word(const struct attribute *attribute, const struct word *word,
			      struct problems *problems)
{
	struct access_list rules = { 0 };
	enum access_word what = access_list_add(&rules, word->text, NULL, 0, network_named);

	access_list_clear(&rules);
	if (what == WORD_ADDED)
		return true;
	problem_add(problems, ERROR, word->file, word->line, "%s: \"%s\" %s", attribute->name,
		    word->text, access_word_text(what));
	return false;
}

static bool word_list_remove(struct word_list *list, const struct attribute *attribute,
			     const struct word *word, struct problems *problems)
{
	bool any;

	if (attribute->read != read_access_list) {
		any = word_list_drop(list, word->text);
	} else {
		if (!check_access_word(attribute, word, problems))
			return false;
		if (!remove_meaning(list, word->text, &any))
			return report_memory(problems);
	}
	if (!any)
		problem_add(problems, WARNING, word->file, word->line,
			    "%s -= %s removes nothing, as it is not in the list", attribute->name,
			    word->text);
	return true;
}

bool word_list_apply(struct word_list *list, const struct attribute *attribute,
		     const struct assignment *assignment, enum assign_operator sign,
		     struct problems *problems)
{
	if (!list->is_set) {
		list->file = assignment->file;
		list->line = assignment->line;
	}
	list->is_set = true;
	if (sign == ASSIGN_SET)
		list->count = 0;
	if (list->count + assignment->count > VALUES_MAX) {
		problem_add(problems, ERROR, assignment->file, assignment->line,
			    "%s has more than %d values", attribute->name, VALUES_MAX);
		return false;
	}
	for (size_t i = 0; i < assignment->count; i++) {
		const struct word *word = assignment->words[i];

		if (sign == ASSIGN_REMOVE) {
			if (!word_list_remove(list, attribute, word, problems))
				return false;
		} else if (!word_list_add(list, word)) {
			return report_memory(problems);
		}
	}
	return true;
}

bool word_list_copy(struct word_list *list, const struct word_list *other,
		    struct problems *problems)
{
	list->count = 0;
	list->is_set = other->is_set;
	list->file = other->file;
	list->line = other->line;
	for (size_t i = 0; i < other->count; i++)
		if (!word_list_add(list, other->words[i]))
			return report_memory(problems);
	return true;
}

bool word_list_make_absolute(struct word_list *list, size_t index, const char *directory,
			     struct problems *problems)
{
	const struct word *word = list->words[index];
	char *path;

	if (word->text[0] == '/')
		return true;
	if (asprintf(&path, "%s%s%s", directory, path_separator(directory), word->text) < 0)
		return report_memory(problems);
	word = make_word(list, word, path);
	free(path);
	if (!word)
		return report_memory(problems);
	list->words[index] = word;
	return true;
}

/* --- printing -------------------------------------------------------------------- */

static bool needs_quotes(const char *text)
{
	return text[0] == '\0' || text[0] == '"' || text[0] == '#' ||
	       strpbrk(text, " \t\r\v\f") != NULL;
}

static void print_quoted(struct text *out, const char *word)
{
	text_add(out, " \"");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			text_add_char(out, '\\');
		text_add_char(out, *word);
	}
	text_add_char(out, '"');
}

void word_print(const char *word, struct text *out)
{
	if (needs_quotes(word)) {
		print_quoted(out, word);
		return;
	}
	text_add_char(out, ' ');
	text_add(out, word);
}

void word_list_clear(struct word_list *list)
{
	for (size_t i = 0; i < list->made_count; i++)
		free(list->made[i]);
	free(list->made);
	free(list->words);
	*list = (struct word_list){ 0 };
}
