#include "import/words.h"

#include <stdlib.h>
#include <string.h>

/* --- words -------------------------------------------------------------------------------- */

static bool is_between(char c, enum words_kind kind)
{
	return is_blank_char(c) || (kind == WORDS_JSON && c && strchr("[],", c));
}

/* Adds the word at the front of *rest, without its quotes, and moves *rest past it. */
static void take_word(struct text *bytes, struct span *rest, enum words_kind kind)
{
	char quote = '\0';

	for (; rest->start < rest->end; rest->start++) {
		char c = *rest->start;

		if (!quote && is_between(c, kind))
			return;
		if (c == quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else if (c == '\\' && quote != '\'' && rest->end - rest->start > 1)
			text_add_char(bytes, *++rest->start);
		else
			text_add_char(bytes, c);
	}
}

bool words_split(struct words *words, struct span line, enum words_kind kind)
{
	words->bytes = (struct text){ 0 };
	words->count = 0;
	for (;;) {
		while (line.start < line.end && is_between(*line.start, kind))
			line.start++;
		if (span_is_empty(line) || words->count == WORDS_MAX)
			return span_is_empty(line) && !words->bytes.failed;
		take_word(&words->bytes, &line, kind);
		words->ends[words->count++] = words->bytes.length;
	}
}

struct span words_get(const struct words *words, size_t index)
{
	size_t start = index > 0 ? words->ends[index - 1] : 0;
	const char *bytes = words->bytes.bytes ? words->bytes.bytes : "";

	return (struct span){ bytes + start, bytes + words->ends[index] };
}

void words_free(struct words *words)
{
	text_free(&words->bytes);
}

struct span span_take_part(struct span *rest, char mark)
{
	struct span part = { rest->start, rest->start };
	char quote = '\0';

	for (; part.end < rest->end; part.end++) {
		char c = *part.end;

		if (c == '\\' && rest->end - part.end > 1)
			part.end++;
		else if (c == quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else if (!quote && c == mark)
			break;
	}
	rest->start = part.end < rest->end ? part.end + 1 : part.end;
	return part;
}

/* --- lines -------------------------------------------------------------------------------- */

static bool is_comment(const char *line, const char *end)
{
	while (line < end && is_blank_char(*line))
		line++;
	return line < end && (*line == '#' || *line == ';');
}

/* Joins in place. A form feed, which counts as a blank, takes the place of a newline. */
static void join_lines(char *text, size_t length)
{
	char *line = text, *end = text + length, *newline;

	for (; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
		char *last = newline;

		while (last > line && last[-1] == '\r')
			last--;
		if (last == line || last[-1] != '\\' || is_comment(line, newline))
			continue;
		last[-1] = ' ';
		*newline = '\f';
	}
}

int long_lines_begin(struct long_lines *lines, const char *text, size_t length)
{
	*lines = (struct long_lines){ .copy = malloc(length + 1) };
	if (!lines->copy)
		return -1;
	if (length > 0)
		memcpy(lines->copy, text, length);
	join_lines(lines->copy, length);
	lines_begin(&lines->lines, lines->copy, length);
	return 0;
}

bool long_lines_next(struct long_lines *lines, struct span *line)
{
	if (!lines_next(&lines->lines, line))
		return false;
	lines->number += 1 + lines->extra;
	lines->extra = 0;
	for (const char *c = lines->lines.start; c < lines->lines.next; c++)
		lines->extra += *c == '\f';
	return true;
}

void long_lines_end(struct long_lines *lines)
{
	free(lines->copy);
}
