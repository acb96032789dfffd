/* Words of configuration files: where a word stands, and what a misspelt one may mean. */
#ifndef USHERD_CONFIG_WORD_H
#define USHERD_CONFIG_WORD_H

#include <stdbool.h>

/* A word that was read. */
struct word {
	const char *file; /* borrowed: outlives every entry */
	int line;
	char sign;     /* while its entry is read: of the line's operator, see syntax.h ... */
	bool is_value; /* ... and false for a line without values */
	char text[];
};

/* The candidate, of a NULL-ended list, that needs the fewest edits to become word. NULL if it
 * needs more edits than a third of word's letters. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
