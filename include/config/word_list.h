/* The words that lines of one or several entries give to one attribute.
 * Internal to config. */
#ifndef USHERD_CONFIG_WORD_LIST_H
#define USHERD_CONFIG_WORD_LIST_H

#include "config/attributes.h"

#include <stdio.h>

/* All zero is an empty list of an attribute that nobody set. */
struct word_list {
	const struct word **words; /* borrowed from their entries */
	size_t count, capacity;
	bool is_set;
	const char *file; /* where it was set first, even to nothing; borrowed */
	int line;
	struct word **made; /* owned: what was left of words that were removed in part */
	size_t made_count;
};

/* Does what a line says, with that operator instead of the line's own. False,
 * reported, when it can't be done. Removing from an access list goes by meaning,
 * as in xinetd: 10.0.0.0 removes 10.0.0.0/8. */
bool word_list_apply(struct word_list *list, const struct attribute *attribute,
		     const struct assignment *assignment, enum assign_operator operator,
		     struct problems *problems) __attribute__((warn_unused_result));

/* Begins anew with the words of other, which must live as long. False, reported,
 * for want of memory. */
bool word_list_copy(struct word_list *list, const struct word_list *other,
		    struct problems *problems) __attribute__((warn_unused_result));

/* Removes words that read the same, in any case. True when there were any. */
bool word_list_drop(struct word_list *list, const char *text);

/* Puts directory, a slash and the word in the place of a word that is no
 * absolute path. False, reported, for want of memory. */
bool word_list_make_absolute(struct word_list *list, size_t index, const char *directory,
			     struct problems *problems) __attribute__((warn_unused_result));

/* Writes a word as it can be read again, a blank before it. */
void word_print(const char *text, FILE *out);

void word_list_clear(struct word_list *list);

#endif
