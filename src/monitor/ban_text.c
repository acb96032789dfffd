#include "monitor/ban_text.h"

#include "base/span.h"

#include <inttypes.h>
#include <string.h>

#define FIRST_LINE "usherd-bans 1"

/* Seconds; about 30,000 years. What is later than any real time is a mistake. */
#define TIME_MAX 1000000000000

static bool read_first_line(struct span line, int64_t *written)
{
	struct span title = span_take_word(&line), version = span_take_word(&line);
	struct span second = span_take_word(&line);
	uint64_t time;

	if (!span_is(title, "usherd-bans") || !span_is(version, "1") || !span_is_empty(line) ||
	    !span_number(second, TIME_MAX, &time))
		return false;
	*written = (int64_t)time;
	return true;
}

/* A scope is a matter of interfaces, and no ban has one. */
static bool read_address(struct span word, struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	if (span_length(word) >= sizeof text || memchr(word.start, '%', span_length(word)) ||
	    memchr(word.start, '\0', span_length(word)))
		return false;
	memcpy(text, word.start, span_length(word));
	text[span_length(word)] = '\0';
	return address_parse(address, text, 0) == 0;
}

static bool read_end(struct span word, int64_t now, uint64_t *left)
{
	uint64_t time;

	if (span_is(word, "forever")) {
		*left = BAN_FOREVER;
		return true;
	}
	if (!span_number(word, TIME_MAX, &time))
		return false;
	*left = (int64_t)time > now ? (time - (uint64_t)now) * 1000 : 0;
	return true;
}

static void read_line(struct span line, int number, int64_t now,
		      const struct ban_text_events *events)
{
	struct span first = span_take_word(&line), second = span_take_word(&line);
	struct address address;
	uint64_t left;

	if (!read_address(first, &address) || !read_end(second, now, &left) ||
	    !span_is_idle(span_trim(line)))
		events->wrong(number);
	else if (left > 0)
		events->ban(&address, left);
}

bool ban_text_read(const char *text, size_t length, int64_t now,
		   const struct ban_text_events *events)
{
	struct lines lines;
	struct span line;
	int64_t written;

	lines_begin(&lines, text, length);
	if (!lines_next(&lines, &line))
		return true;
	if (!read_first_line(line, &written))
		return false;
	if (now < written)
		now = written;
	while (lines_next(&lines, &line))
		if (!span_is_idle(line))
			read_line(line, lines.number, now, events);
	return true;
}

void ban_text_begin(FILE *out, int64_t now)
{
	fprintf(out, FIRST_LINE " %" PRId64 "\n", now);
}

void ban_text_add(FILE *out, const struct address *address, uint64_t left, int64_t now)
{
	struct address unscoped = *address;
	char text[ADDRESS_TEXT_SIZE];

	if (unscoped.any.sa_family == AF_INET6)
		unscoped.in6.sin6_scope_id = 0;
	address_text(&unscoped, text);
	if (left == BAN_FOREVER)
		fprintf(out, "%s forever\n", text);
	else
		fprintf(out, "%s %" PRId64 "\n", text, now + (int64_t)((left + 999) / 1000));
}
