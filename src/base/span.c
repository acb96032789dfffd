#include "base/span.h"

#include <string.h>
#include <strings.h>

struct span span_trim(struct span span)
{
	while (span.start < span.end && is_blank_char(*span.start))
		span.start++;
	while (span.end > span.start && is_blank_char(span.end[-1]))
		span.end--;
	return span;
}

bool span_is(struct span span, const char *text)
{
	return span_length(span) == strlen(text) &&
	       strncasecmp(span.start, text, span_length(span)) == 0;
}

struct span span_take_word(struct span *rest)
{
	struct span word;

	*rest = span_trim(*rest);
	word.start = word.end = rest->start;
	while (word.end < rest->end && !is_blank_char(*word.end))
		word.end++;
	rest->start = word.end;
	return word;
}

struct span span_take_until(struct span *rest, const char *marks)
{
	struct span part = { rest->start, rest->start };

	while (part.end < rest->end && (*part.end == '\0' || !strchr(marks, *part.end)))
		part.end++;
	rest->start = part.end < rest->end ? part.end + 1 : part.end;
	return part;
}

bool span_number(struct span span, uint64_t most, uint64_t *number)
{
	*number = 0;
	if (span_is_empty(span))
		return false;
	for (const char *c = span.start; c < span.end; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (*c < '0' || *c > '9' || *number > (UINT64_MAX - digit) / 10)
			return false;
		*number = 10 * *number + digit;
	}
	return *number <= most;
}

bool span_is_idle(struct span line)
{
	return span_is_empty(line) || *line.start == '#';
}

void lines_begin(struct lines *lines, const char *text, size_t length)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";

	*lines = (struct lines){ .next = text, .end = text + length, .start = text };
	if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
		lines->next += 3;
}

bool lines_next(struct lines *lines, struct span *line)
{
	const char *newline;

	if (lines->next == lines->end)
		return false;
	newline = memchr(lines->next, '\n', (size_t)(lines->end - lines->next));
	lines->start = lines->next;
	lines->next = newline ? newline + 1 : lines->end;
	lines->number++;
	*line = span_trim((struct span){ lines->start, newline ? newline : lines->end });
	return true;
}
