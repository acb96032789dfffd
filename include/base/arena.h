/* Memory that is freed all at once: the strings and arrays of a value that is
 * built once and never changes, such as one service's settings. */
#ifndef USHERD_BASE_ARENA_H
#define USHERD_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *blocks;
	bool failed; /* an allocation failed: what was built is incomplete */
};

/* size bytes of zeros, aligned for anything. NULL, with arena->failed set, when
 * there is no memory. */
void *arena_take(struct arena *arena, size_t size);

/* Copies; NULL as above. */
char *arena_string(struct arena *arena, const char *text);

void arena_free(struct arena *arena);

#endif
