#include "admission/ident.h"

#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Part of a reply; it may contain any byte, also NUL. */
struct span {
	const char *start, *end;
};

size_t ident_query(char query[static IDENT_QUERY_SIZE], uint16_t their_port, uint16_t our_port)
{
	return (size_t)snprintf(query, IDENT_QUERY_SIZE, "%u,%u\r\n", their_port, our_port);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct span trimmed(struct span span)
{
	while (span.start < span.end && is_blank(span.start[0]))
		span.start++;
	while (span.start < span.end && is_blank(span.end[-1]))
		span.end--;
	return span;
}

static size_t span_length(struct span span)
{
	return (size_t)(span.end - span.start);
}

/* Moves the bytes before the first separator from rest to part; false when there is
 * none. */
static bool cut(struct span *rest, char separator, struct span *part)
{
	const char *found = memchr(rest->start, separator, span_length(*rest));

	if (!found)
		return false;
	*part = trimmed((struct span){ rest->start, found });
	rest->start = found + 1;
	return true;
}

static bool is_word(struct span span, const char *word)
{
	return span_length(span) == strlen(word) && memcmp(span.start, word, strlen(word)) == 0;
}

static bool is_port(struct span span, uint16_t port)
{
	unsigned number = 0;

	if (span_length(span) == 0)
		return false;
	for (const char *digit = span.start; digit < span.end; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		number = number * 10 + (unsigned)(*digit - '0');
		if (number > UINT16_MAX)
			return false;
	}
	return number == port;
}

static enum ident_outcome parse_line(struct span line, uint16_t their_port, uint16_t our_port,
				     char user[static IDENT_USER_SIZE])
{
	struct span theirs, ours, kind;

	if (!cut(&line, ',', &theirs) || !cut(&line, ':', &ours) || !cut(&line, ':', &kind))
		return IDENT_BAD_RESPONSE;
	if (!is_port(theirs, their_port) || !is_port(ours, our_port))
		return IDENT_BAD_RESPONSE;
	if (is_word(kind, "ERROR"))
		return IDENT_ERROR;
	line = trimmed(line);
	if (!is_word(kind, "USERID") || span_length(line) == 0)
		return IDENT_BAD_RESPONSE;
	log_escape(user, IDENT_USER_SIZE, line.start, span_length(line));
	return IDENT_USER;
}

enum ident_outcome ident_parse(const char *reply, size_t length, uint16_t their_port,
			       uint16_t our_port, char user[static IDENT_USER_SIZE])
{
	size_t readable = length < IDENT_REPLY_MAX ? length : IDENT_REPLY_MAX;
	struct span line = { reply, memchr(reply, '\n', readable) };

	user[0] = '\0';
	if (!line.end)
		return length < IDENT_REPLY_MAX ? IDENT_INCOMPLETE : IDENT_BAD_RESPONSE;
	if (line.end > line.start && line.end[-1] == '\r')
		line.end--;
	return parse_line(line, their_port, our_port, user);
}
