/* Words of configuration files: where one stands, and what a misspelt one may mean. */
#ifndef USHERD_CONFIG_WORD_H
#define USHERD_CONFIG_WORD_H

/* One that was read. */
struct word {
	const char *file; /* borrowed: outlives every entry */
	int line;
	char text[];
};

/* The candidate (a NULL-ended list) with the fewest edits to reach word, or
 * NULL when it takes more than a third of the word. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
