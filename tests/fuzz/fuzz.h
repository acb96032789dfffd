/* What the fuzz targets share. */
#ifndef USHERD_TESTS_FUZZ_H
#define USHERD_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Says to the fuzzer that this input breaks a promise. */
static inline void require(bool holds)
{
	if (!holds)
		abort();
}

/* True when every byte of text is printable ASCII: one line of a log, and nothing
 * that a terminal would obey. */
static inline bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

/* The input, of which a target takes what it needs piece by piece. */
struct input {
	const uint8_t *bytes;
	size_t length;
};

/* 0 once there is no more. */
static inline uint8_t input_byte(struct input *input)
{
	if (input->length == 0)
		return 0;
	input->length--;
	return *input->bytes++;
}

/* At most `most` bytes, fewer at the end. */
static inline struct input input_piece(struct input *input, size_t most)
{
	struct input piece = { input->bytes, input->length < most ? input->length : most };

	if (piece.length > 0) /* there may be no bytes at all */
		input->bytes += piece.length;
	input->length -= piece.length;
	return piece;
}

/* Up to the next newline, which is left out. */
static inline struct input input_line(struct input *input)
{
	const uint8_t *end = input->length > 0 ? memchr(input->bytes, '\n', input->length) : NULL;
	struct input line = input_piece(input, end ? (size_t)(end - input->bytes) : SIZE_MAX);

	if (end)
		input_byte(input);
	return line;
}

/* The piece as a string, to be freed; it ends at the first NUL. */
static inline char *input_string(struct input piece)
{
	char *text = strndup(piece.length > 0 ? (const char *)piece.bytes : "", piece.length);

	require(text != NULL);
	return text;
}

#endif
