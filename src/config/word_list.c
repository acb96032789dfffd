#include "config/word_list.h"

#include "config/bounds.h"
#include "config/networks.h"
#include "config/reading.h"
#include "config/rule_files.h"

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

/* Begins with what the list has. False when memory runs out. */
static bool begin_removal(struct word_list *list)
{
	if (list->removal)
		return true;
	list->removal = removal_new();
	for (size_t i = 0; list->removal && i < list->count; i++)
		if (!removal_add(list->removal, list->words[i]->text))
			return false;
	return list->removal != NULL;
}

static void end_removal(struct word_list *list)
{
	removal_free(list->removal);
	list->removal = NULL;
}

/* Puts a word for each rule that is left of words[number] at the list's end. */
static bool add_remainder(struct word_list *list, const struct word *word, size_t number)
{
	struct access_list rules = { 0 };
	char text[ADDRESS_TEXT_SIZE];
	bool added = true;

	access_list_add(&rules, word->text, NULL, 0, network_named);
	for (size_t i = 0; added && i < rules.count; i++) {
		const struct word *made;

		if (!removal_has_rule(list->removal, number, i))
			continue;
		made = make_word(list, word, prefix_text(&rules.rules[i].prefix, text));
		added = made && word_list_add(list, made);
	}
	access_list_clear(&rules);
	return added;
}

/* Lets the list have only what is left. False when memory runs out. */
static bool keep_remainder(struct word_list *list)
{
	const struct word **words = list->words;
	size_t count = list->count;
	bool fine = true;

	list->words = NULL;
	list->count = list->capacity = 0;
	for (size_t i = 0; fine && i < count; i++) {
		enum remains remains = removal_remains(list->removal, i);

		if (remains == REMAINS_WHOLE)
			fine = word_list_add(list, words[i]);
		else if (remains == REMAINS_IN_PART)
			fine = add_remainder(list, words[i], i);
	}
	free(words);
	return fine;
}

bool word_list_settle(struct word_list *list, struct problems *problems)
{
	bool fine = !list->removal || keep_remainder(list);

	end_removal(list);
	return fine || report_memory(problems);
}

/* --- access lists ---------------------------------------------------------------- */

/* A word that names a file of rules, with an absolute path: relative to the directory of the
 * file that has the word. NULL when memory runs out. */
static const struct word *absolute_rule_file(struct word_list *list, const struct word *word)
{
	const char *path = word->text + 1, *slash = strrchr(word->file, '/');
	const struct word *made = NULL;
	char *text;

	if (*path == '/' || !slash)
		return word;
	if (asprintf(&text, "@%.*s/%s", (int)(slash - word->file), word->file, path) < 0)
		return NULL;
	made = make_word(list, word, text);
	free(text);
	return made;
}

/* True for a valid word of an access list. */
static bool check_access_word(const struct attribute *attribute, const struct word *word,
			      struct problems *problems)
{
	struct access_list rules = { 0 };
	enum access_word what;

	if (names_rule_file(word->text))
		return true;
	what = access_list_add(&rules, word->text, NULL, 0, network_named);
	access_list_clear(&rules);
	if (what == WORD_ADDED)
		return true;
	problem_add(problems, ERROR, word->file, word->line, "%s: \"%s\" %s", attribute->name,
		    word->text, access_word_text(what));
	return false;
}

/* A file's rules can't be removed one by one, and that must not go unnoticed. */
static bool removes_nothing(const struct word_list *list, const struct attribute *attribute,
			    const struct word *word, struct problems *problems)
{
	bool may_be_in_file =
		list->removal && removal_has_file(list->removal) && !names_rule_file(word->text);

	problem_add(problems, may_be_in_file ? ERROR : WARNING, word->file, word->line,
		    may_be_in_file ? "%s -= %s removes nothing, as it is not in the list; what is "
				     "in a file (@FILE) has to be removed there"
				   : "%s -= %s removes nothing, as it is not in the list",
		    attribute->name, word->text);
	return !may_be_in_file;
}

static bool access_word_remove(struct word_list *list, const struct attribute *attribute,
			       const struct word *word, struct problems *problems)
{
	bool any;

	if (!check_access_word(attribute, word, problems))
		return false;
	if (!begin_removal(list) || !removal_take(list->removal, word->text, &any))
		return report_memory(problems);
	return any || removes_nothing(list, attribute, word, problems);
}

static bool word_list_remove(struct word_list *list, const struct attribute *attribute,
			     const struct word *word, struct problems *problems)
{
	return word_list_drop(list, word->text) || removes_nothing(list, attribute, word, problems);
}

/* Adds or removes one word. */
static bool apply_word(struct word_list *list, const struct attribute *attribute,
		       const struct word *word, enum assign_operator sign,
		       struct problems *problems)
{
	bool is_access = attribute->words & WORDS_ACCESS;

	if (is_access && names_rule_file(word->text))
		word = absolute_rule_file(list, word);
	if (!word)
		return report_memory(problems);
	if (sign == ASSIGN_REMOVE)
		return is_access ? access_word_remove(list, attribute, word, problems)
				 : word_list_remove(list, attribute, word, problems);
	if (!word_list_add(list, word) ||
	    (list->removal && !removal_add(list->removal, word->text)))
		return report_memory(problems);
	return true;
}

static void word_list_empty(struct word_list *list)
{
	list->count = 0;
	end_removal(list);
}

bool word_list_apply(struct word_list *list, const struct attribute *attribute,
		     const struct assignment *assignment, enum assign_operator sign,
		     struct problems *problems)
{
	size_t left;

	if (!list->is_set) {
		list->file = assignment->file;
		list->line = assignment->line;
	}
	list->is_set = true;
	if (sign == ASSIGN_SET)
		word_list_empty(list);
	left = list->removal ? removal_left(list->removal) : list->count;
	if (left + assignment->count > VALUES_MAX) {
		problem_add(problems, ERROR, assignment->file, assignment->line,
			    "%s has more than %d values", attribute->name, VALUES_MAX);
		return false;
	}
	for (size_t i = 0; i < assignment->count; i++)
		if (!apply_word(list, attribute, assignment->words[i], sign, problems))
			return false;
	return true;
}

bool word_list_copy(struct word_list *list, const struct word_list *other,
		    struct problems *problems)
{
	word_list_empty(list);
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
	end_removal(list);
	for (size_t i = 0; i < list->made_count; i++)
		free(list->made[i]);
	free(list->made);
	free(list->words);
	*list = (struct word_list){ 0 };
}
