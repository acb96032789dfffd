/* Words of configuration files: where a word stands, and what a misspelt one may mean. */
#ifndef USHERD_CONFIG_WORD_H
#define USHERD_CONFIG_WORD_H

/* A word that was read. */
struct word {
	const char *file; /* borrowed: outlives every entry */
	int line;
	char text[];
};

/* The candidate, of a NULL-ended list, that needs the fewest edits to become word. NULL if it
 * needs more edits than a third of word's letters. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
