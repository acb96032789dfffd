/* Text that grows while it is written. Errors are remembered, so that only the end has to
 * look for them. Strings given to these functions must not be part of the text itself. */
#ifndef USHERD_BASE_TEXT_H
#define USHERD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty text. */
struct text {
	char *bytes; /* length of them, without a NUL at the end; NULL: nothing was added yet */
	size_t length, size;
	bool failed; /* memory ran out: some of it is missing */
};

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add_format(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds a string, and blanks until it is width characters wide. */
void text_add_padded(struct text *text, const char *string, size_t width);

/* Makes room for length more bytes; false when memory ran out. */
bool text_reserve(struct text *text, size_t length);

static inline void text_add_char(struct text *text, char c)
{
	if (text->length < text->size || text_reserve(text, 1))
		text->bytes[text->length++] = c;
}

/* A copy, NUL-ended, to be freed; NULL when memory runs out or ran out before. The text is
 * empty afterwards, and its memory is used again. */
char *text_copy_out(struct text *text) __attribute__((warn_unused_result));

void text_free(struct text *text);

#endif
