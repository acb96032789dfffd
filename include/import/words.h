/* The words and lines of files that other programs read. Internal to import. */
#ifndef USHERD_IMPORT_WORDS_H
#define USHERD_IMPORT_WORDS_H

#include "base/span.h"
#include "base/text.h"

enum words_kind {
	WORDS_SHELL, /* between blanks; '...', "..." and backslashes keep characters together */
	WORDS_JSON,  /* the same, and brackets and commas outside of quotes are blanks */
};

enum { WORDS_MAX = 256 };

struct words {
	struct text bytes;
	size_t ends[WORDS_MAX]; /* each word begins where the one before ends */
	size_t count;
};

/* Splits; to be freed with words_free, whatever is returned. False when there are more than
 * WORDS_MAX, which are left out, or memory ran out. */
bool words_split(struct words *words, struct span line, enum words_kind kind)
	__attribute__((warn_unused_result));

/* Valid until words_free. */
struct span words_get(const struct words *words, size_t index);

void words_free(struct words *words);

/* The part before the first mark outside of quotes and behind no backslash, which is cut off
 * *rest with it; all of it when there is none. */
struct span span_take_part(struct span *rest, char mark);

/* The lines of a text in which a backslash at the end of one line continues it on the next:
 * both characters become blanks. */
struct long_lines {
	char *copy;
	struct lines lines;
	int number; /* of the last line read */
	int extra;  /* lines that it has more than one */
};

/* Returns -1 when memory ran out; otherwise to be given to long_lines_end. */
int long_lines_begin(struct long_lines *lines, const char *text, size_t length)
	__attribute__((warn_unused_result));

/* The next line, trimmed, valid until the end; false at the end of the text. */
bool long_lines_next(struct long_lines *lines, struct span *line);

void long_lines_end(struct long_lines *lines);

#endif
