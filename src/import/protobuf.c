#include "import/protobuf.h"

#include <ctype.h>
#include <string.h>

void protobuf_begin(struct protobuf *reader, const char *text, size_t length)
{
	*reader = (struct protobuf){ .rest = { text, text + length }, .line = 1 };
}

void protobuf_end(struct protobuf *reader)
{
	text_free(&reader->value);
}

struct span protobuf_value(const struct protobuf *reader)
{
	const char *bytes = reader->value.bytes ? reader->value.bytes : "";

	return (struct span){ bytes, bytes + reader->value.length };
}

/* --- tokens ------------------------------------------------------------------------------- */

/* The next character, '\0' at the end. */
static char peek(const struct protobuf *reader)
{
	return reader->rest.start < reader->rest.end ? *reader->rest.start : '\0';
}

static void skip_comment(struct protobuf *reader)
{
	while (reader->rest.start < reader->rest.end && *reader->rest.start != '\n')
		reader->rest.start++;
}

/* Skips blanks, comments and what separates fields. */
static void skip_blanks(struct protobuf *reader)
{
	for (; reader->rest.start < reader->rest.end; reader->rest.start++) {
		char c = *reader->rest.start;

		if (c == '#') {
			skip_comment(reader);
			if (reader->rest.start == reader->rest.end)
				return;
			c = '\n';
		}
		reader->line += c == '\n';
		if (!is_blank_char(c) && c != ',' && c != ';')
			return;
	}
}

/* True, past it, when c comes next. */
static bool take_char(struct protobuf *reader, char c)
{
	skip_blanks(reader);
	if (peek(reader) != c)
		return false;
	reader->rest.start++;
	return true;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.+-", c));
}

static struct span take_plain_word(struct protobuf *reader)
{
	struct span word = { reader->rest.start, reader->rest.start };

	while (word.end < reader->rest.end && is_word_char(*word.end))
		word.end++;
	reader->rest.start = word.end;
	return word;
}

/* Up to `most` digits of base 8 or 16. */
static unsigned take_code(struct protobuf *reader, int base, int most)
{
	unsigned code = 0;

	for (; most > 0; most--) {
		char c = peek(reader);
		bool is_digit = base == 8 ? c >= '0' && c <= '7' : isxdigit((unsigned char)c) != 0;

		if (!is_digit)
			break;
		code = code * (unsigned)base +
		       (unsigned)(c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
		reader->rest.start++;
	}
	return code;
}

/* What stands behind a backslash. */
static void take_escape(struct protobuf *reader)
{
	static const char names[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	char c = peek(reader);
	const char *found = c ? strchr(names, c) : NULL;

	if (c >= '0' && c <= '7') {
		text_add_char(&reader->value, (char)take_code(reader, 8, 3));
		return;
	}
	reader->rest.start++;
	if (c == 'x' || c == 'X')
		text_add_char(&reader->value, (char)take_code(reader, 16, 2));
	else
		text_add_char(&reader->value, found ? bytes[found - names] : c);
}

/* Adds a string in quotes, which may have several lines, as C++ reads it; false when it does not
 * end. */
static bool take_string(struct protobuf *reader)
{
	char quote = *reader->rest.start++;

	while (reader->rest.start < reader->rest.end) {
		char c = *reader->rest.start++;

		if (c == quote)
			return true;
		reader->line += c == '\n';
		if (c == '\\' && reader->rest.start < reader->rest.end)
			take_escape(reader);
		else
			text_add_char(&reader->value, c);
	}
	return false;
}

/* --- fields ------------------------------------------------------------------------------- */

/* A word, or strings that stand one behind the other and are one. */
static enum protobuf_event take_value(struct protobuf *reader)
{
	char c = peek(reader);
	struct span word;

	reader->value.length = 0;
	if (c == '"' || c == '\'') {
		for (; c == '"' || c == '\''; c = peek(reader)) {
			if (!take_string(reader))
				return PROTOBUF_WRONG;
			while (is_blank_char(peek(reader)))
				reader->line += *reader->rest.start++ == '\n';
		}
		return PROTOBUF_VALUE;
	}
	word = take_plain_word(reader);
	text_add_bytes(&reader->value, word.start, span_length(word));
	return span_is_empty(word) ? PROTOBUF_WRONG : PROTOBUF_VALUE;
}

static enum protobuf_event take_value_or_message(struct protobuf *reader)
{
	if (!take_char(reader, '{') && !take_char(reader, '<'))
		return take_value(reader);
	return ++reader->depth > PROTOBUF_DEPTH_MAX ? PROTOBUF_WRONG : PROTOBUF_BEGIN;
}

static enum protobuf_event take_end(struct protobuf *reader)
{
	return --reader->depth < 0 ? PROTOBUF_WRONG : PROTOBUF_END;
}

/* What follows the name of a field, up to the [ of a list, or to the end of a single value. */
static enum protobuf_event take_content(struct protobuf *reader)
{
	bool has_colon = take_char(reader, ':');

	skip_blanks(reader);
	if (!has_colon && peek(reader) != '{' && peek(reader) != '<')
		return PROTOBUF_WRONG;
	reader->in_list = take_char(reader, '[');
	return reader->in_list ? PROTOBUF_VALUE : take_value_or_message(reader);
}

static enum protobuf_event take_field(struct protobuf *reader)
{
	if (span_is_empty(reader->rest))
		return reader->depth == 0 ? PROTOBUF_FINISHED : PROTOBUF_WRONG;
	if (take_char(reader, '}') || take_char(reader, '>'))
		return take_end(reader);
	reader->name_line = reader->line;
	reader->name = take_plain_word(reader);
	return span_is_empty(reader->name) ? PROTOBUF_WRONG : take_content(reader);
}

enum protobuf_event protobuf_next(struct protobuf *reader)
{
	enum protobuf_event event = PROTOBUF_WRONG;

	do {
		skip_blanks(reader);
		if (reader->value.failed)
			return PROTOBUF_WRONG;
		if (reader->in_list && !take_char(reader, ']'))
			return take_value(reader); /* lists of messages are not used here */
		reader->in_list = false;
		skip_blanks(reader);
		event = take_field(reader);
	} while (reader->in_list);
	return event;
}
