#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024, FORMATTED_MAX = 512 };

bool text_reserve(struct text *text, size_t length)
{
	size_t size = text->size ? text->size : FIRST_SIZE;
	char *bytes;

	while (size - text->length < length && size <= SIZE_MAX / 2)
		size *= 2;
	bytes = size - text->length < length ? NULL : realloc(text->bytes, size);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->size = size;
	return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	if (length == 0 || (text->size - text->length < length && !text_reserve(text, length)))
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_format(struct text *text, const char *format, ...)
{
	char formatted[FORMATTED_MAX];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(formatted, sizeof formatted, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= (int)sizeof formatted)
		text->failed = true;
	else
		text_add_bytes(text, formatted, (size_t)length);
}

void text_add_padded(struct text *text, const char *string, size_t width)
{
	size_t length = strlen(string);

	text_add_bytes(text, string, length);
	for (; length < width; length++)
		text_add_char(text, ' ');
}

char *text_copy_out(struct text *text)
{
	char *copy = text->failed ? NULL : malloc(text->length + 1);

	if (copy && text->length > 0)
		memcpy(copy, text->bytes, text->length);
	if (copy)
		copy[text->length] = '\0';
	text->length = 0;
	text->failed = false;
	return copy;
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ 0 };
}
