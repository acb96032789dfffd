#include "config/canonical.h"

#include "base/text.h"
#include "config/bounds.h"

#include <strings.h>

enum { NAME_WIDTH = 15 };

static void print_name(struct text *out, const struct attribute *attribute, const char *sign)
{
	text_add_char(out, '\t');
	text_add_padded(out, attribute->name, NAME_WIDTH);
	text_add(out, sign);
}

/* Words that came from several lines may be too long for one, and are then split. */
static void print_words(struct text *out, const struct attribute *attribute,
			const struct word_list *list)
{
	size_t start = out->length;

	for (size_t i = 0; i < list->count; i++) {
		if (attribute->shape != SHAPE_SCALAR && out->length - start > LINE_LENGTH_MAX / 2) {
			start = out->length;
			text_add_char(out, '\n');
			print_name(out, attribute, " +=");
		}
		word_print(list->words[i]->text, out);
	}
}

/* Writes the attribute's line without retired words; no line if no words are left. */
static void print_attribute(struct text *out, const struct attribute *attribute,
			    struct word_list *list)
{
	bool was_empty = list->count == 0;

	if (attribute->words & WORDS_FLAGS)
		word_list_drop(list, "REUSE");
	if ((attribute->words & (WORDS_RETIRED | WORDS_PRESET)) || (list->count == 0 && !was_empty))
		return;
	print_name(out, attribute, " =");
	print_words(out, attribute, list);
	text_add_char(out, '\n');
}

void canonical_add(struct text *canonical, struct service_settings *service,
		   const struct attribute *attribute, struct word_list *list)
{
	bool is_log = attribute->words & WORDS_LOG;
	size_t start = canonical->length;

	print_attribute(canonical, attribute, list);
	if (is_log) {
		service->log_line.start = (int)start;
		service->log_line.length = (int)(canonical->length - start);
	}
}

/* The index of the word that is the path of a file; -1: none. */
static int path_word(const struct attribute *attribute, const struct word_list *list)
{
	if (attribute->words & WORDS_PATH)
		return 0;
	if ((attribute->words & WORDS_LOG) && list->count > 1 &&
	    strcasecmp(list->words[0]->text, "FILE") == 0)
		return 1;
	return -1;
}

bool canonical_make_absolute(struct word_list *list, const struct attribute *attribute,
			     const char *directory, struct problems *problems)
{
	int word = path_word(attribute, list);

	return word < 0 || word_list_make_absolute(list, (size_t)word, directory, problems);
}
