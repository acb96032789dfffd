/* The words of one attribute from the lines of one or several entries.
 * Internal to config. */
#ifndef USHERD_CONFIG_WORD_LIST_H
#define USHERD_CONFIG_WORD_LIST_H

#include "base/text.h"
#include "config/attributes.h"
#include "config/entry.h"
#include "config/problem.h"
#include "config/removal.h"

/* All zero is an empty list of an attribute that is not set. */
struct word_list {
	const struct word **words; /* borrowed from their entries */
	size_t count, capacity;
	bool is_set;
	const char *file; /* where it was set first, even to nothing; borrowed */
	int line;
	struct word **made; /* owned: the rest of words that were removed in part */
	size_t made_count;
	struct removal *removal; /* of an access list, until word_list_settle; otherwise NULL */
};

/* Applies a line with that operator instead of its own. False, reported, on error.
 * Removing from an access list compares the meaning, as in xinetd (removal.h). Its words that
 * name a file of rules (rule_files.h) get absolute paths. */
bool word_list_apply(struct word_list *list, const struct attribute *attribute,
		     const struct assignment *assignment, enum assign_operator sign,
		     struct problems *problems) __attribute__((warn_unused_result));

/* To be called after the last line: this takes words that were removed out of the list. False,
 * reported, when memory runs out. */
bool word_list_settle(struct word_list *list, struct problems *problems)
	__attribute__((warn_unused_result));

/* Replaces the words with those of other, which must live as long. False, reported,
 * when memory runs out. */
bool word_list_copy(struct word_list *list, const struct word_list *other,
		    struct problems *problems) __attribute__((warn_unused_result));

/* Removes words with that text, in any case. True when there were any. */
bool word_list_drop(struct word_list *list, const char *text);

/* Replaces a word that is no absolute path by directory, a slash and the word. False,
 * reported, when memory runs out. */
bool word_list_make_absolute(struct word_list *list, size_t index, const char *directory,
			     struct problems *problems) __attribute__((warn_unused_result));

/* Writes a blank and the word, quoted if necessary. */
void word_print(const char *word, struct text *out);

void word_list_clear(struct word_list *list);

#endif
