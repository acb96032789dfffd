#include "admission/ident.h"

#include "base/log.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t ident_query(char query[static IDENT_QUERY_SIZE], uint16_t their_port, uint16_t our_port)
{
	return (size_t)snprintf(query, IDENT_QUERY_SIZE, "%u,%u\r\n", their_port, our_port);
}

/* Moves the bytes before the first separator from rest to part; false when there is
 * none. */
static bool cut(struct span *rest, char separator, struct span *part)
{
	const char *found = memchr(rest->start, separator, span_length(*rest));

	if (!found)
		return false;
	*part = span_trim((struct span){ rest->start, found });
	rest->start = found + 1;
	return true;
}

static bool is_word(struct span span, const char *word)
{
	return span_length(span) == strlen(word) && memcmp(span.start, word, strlen(word)) == 0;
}

static bool is_port(struct span span, uint16_t port)
{
	uint64_t number;

	return span_number(span, UINT16_MAX, &number) && number == port;
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
	line = span_trim(line);
	if (!is_word(kind, "USERID") || span_is_empty(line))
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
