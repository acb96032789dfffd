/* Parts of a text that is being read, and its lines. */
#ifndef USHERD_BASE_SPAN_H
#define USHERD_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not NUL-ended. */
struct span {
	const char *start, *end;
};

static inline size_t span_length(struct span span)
{
	return (size_t)(span.end - span.start);
}

/* Space, tab, and the other ASCII blanks, carriage return among them. */
static inline bool is_blank_char(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool span_is_empty(struct span span)
{
	return span.start == span.end;
}

/* Without the blanks around it. */
struct span span_trim(struct span span);

/* In any case. */
bool span_is(struct span span, const char *text);

/* Cuts the next word, up to a blank, off the front of *rest; empty at its end. */
struct span span_take_word(struct span *rest);

/* The part before the first character that is one of `marks`, which is cut off
 * *rest with it; all of it when there is none, *rest then being empty. */
struct span span_take_until(struct span *rest, const char *marks);

/* Reads all of it as a decimal number from 0 to most. */
bool span_number(struct span span, uint64_t most, uint64_t *number);

/* True for an empty line and a comment. */
bool span_is_idle(struct span line);

/* For %.*s: the part of it that a message shows. */
enum { SHOWN_MAX = 60 };
#define SHOWN(span) \
	(int)(span_length(span) > SHOWN_MAX ? SHOWN_MAX : span_length(span)), (span).start

/* A text that is read line by line. */
struct lines {
	const char *next, *end;
	const char *start; /* of the last line read, with its leading blanks */
	int number;        /* of the last line read */
};

/* Begins, after a byte order mark if there is one. */
void lines_begin(struct lines *lines, const char *text, size_t length);

/* The next line, trimmed; false at the end of the text. */
bool lines_next(struct lines *lines, struct span *line);

#endif
