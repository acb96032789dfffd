#include "config/syntax.h"

#include "config/attributes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A stretch of the text; not NUL-ended. */
struct span {
	const char *start, *end;
};

static const char *const kind_names[] = {
	[ENTRY_SERVICE] = "service", [ENTRY_DEFAULTS] = "defaults",
	[ENTRY_DAEMON] = "daemon",   [ENTRY_INCLUDE] = "include",
	[ENTRY_INCLUDEDIR] = "includedir",
};

const char *entry_kind_name(enum entry_kind kind)
{
	return kind_names[kind];
}

static bool is_blank_char(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span span_trim(struct span span)
{
	while (span.start < span.end && is_blank_char(*span.start))
		span.start++;
	while (span.end > span.start && is_blank_char(span.end[-1]))
		span.end--;
	return span;
}

static size_t span_length(struct span span)
{
	return (size_t)(span.end - span.start);
}

static bool span_is(struct span span, const char *text)
{
	return span_length(span) == strlen(text) &&
	       strncasecmp(span.start, text, span_length(span)) == 0;
}

/* Cuts the next word, up to a blank, off the front of *rest. */
static struct span take_plain_word(struct span *rest)
{
	struct span word;

	*rest = span_trim(*rest);
	word.start = word.end = rest->start;
	while (word.end < rest->end && !is_blank_char(*word.end))
		word.end++;
	rest->start = word.end;
	return word;
}

/* What a message shows of a stretch of a line. */
enum { SHOWN_MOST = 60 };
#define SHOWN(span) (int)(span_length(span) > SHOWN_MOST ? SHOWN_MOST : span_length(span)), (span).start

static void report(const struct syntax *syntax, int line, const char *text)
{
	problem_add(syntax->problems, ERROR, syntax->file, line, "%s", text);
}

void syntax_begin(struct syntax *syntax, const char *file, const char *text, size_t length,
		  struct problems *problems)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";

	*syntax = (struct syntax){
		.file = file, .next = text, .end = text + length, .problems = problems,
	};
	if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
		syntax->next += 3;
}

/* The next line, trimmed; false at the end of the text. */
static bool next_line(struct syntax *syntax, struct span *line)
{
	const char *newline;

	if (syntax->next == syntax->end)
		return false;
	newline = memchr(syntax->next, '\n', (size_t)(syntax->end - syntax->next));
	line->start = syntax->next;
	line->end = newline ? newline : syntax->end;
	syntax->next = newline ? newline + 1 : syntax->end;
	syntax->line++;
	*line = span_trim(*line);
	return true;
}

static bool is_idle_line(struct span line)
{
	return line.start == line.end || *line.start == '#';
}

/* The next line that says something. */
static bool next_significant_line(struct syntax *syntax, struct span *line)
{
	while (next_line(syntax, line))
		if (!is_idle_line(*line))
			return true;
	return false;
}

/* True for `brace` alone on its line, a comment after it allowed. */
static bool line_is_brace(struct span line, char brace)
{
	if (line.start == line.end || *line.start != brace)
		return false;
	line.start++;
	return is_idle_line(span_trim(line));
}

/* Passes over everything up to a line with only `}`, as xinetd does. */
static void skip_to_closing_brace(struct syntax *syntax)
{
	struct span line;

	while (next_line(syntax, &line))
		if (line_is_brace(line, '}'))
			return;
}

/* --- bodies ----------------------------------------------------------------- */

/* Writes one character of a libconfuse '...' string. */
static void put_quoted_char(FILE *body, char c)
{
	if (c == '\\' || c == '\'')
		putc('\\', body);
	putc(c, body);
}

/* Writes the word at the front of *rest as a libconfuse string and cuts it off.
 * Returns NULL, or what is wrong with it. */
static const char *put_quoted_word(FILE *body, struct span *rest)
{
	const char *c = rest->start + 1;

	for (; c < rest->end && *c != '"'; c++) {
		if (*c == '\\' && c + 1 < rest->end && (c[1] == '"' || c[1] == '\\'))
			c++;
		put_quoted_char(body, *c);
	}
	if (c == rest->end)
		return "a word that begins with \" has no closing \"";
	rest->start = c + 1;
	if (rest->start < rest->end && !is_blank_char(*rest->start))
		return "a blank is missing after the closing \"";
	return NULL;
}

static const char *put_word(FILE *body, struct span *rest)
{
	const char *wrong = NULL;

	fputs(", '", body);
	if (*rest->start == '"') {
		wrong = put_quoted_word(body, rest);
	} else {
		struct span word = take_plain_word(rest);

		for (; word.start < word.end; word.start++)
			put_quoted_char(body, *word.start);
	}
	putc('\'', body);
	return wrong;
}

static void warn_of_comment_in_data(struct syntax *syntax, const char *name)
{
	problem_add(syntax->problems, ADVICE, syntax->file, syntax->line,
		    "\"#\" does not begin a comment in %s: it and what follows are passed on; "
		    "put the comment on a line of its own", name);
}

/* Writes the values of one attribute. Returns NULL, or what is wrong. */
static const char *put_values(struct syntax *syntax, FILE *body, const char *name,
			      struct span rest)
{
	bool free_form = attribute_is_free_form(name);

	for (rest = span_trim(rest); rest.start < rest.end; rest = span_trim(rest)) {
		const char *wrong;

		if (*rest.start == '#' && !free_form)
			break;
		if (*rest.start == '#')
			warn_of_comment_in_data(syntax, name);
		wrong = put_word(body, &rest);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* Cuts "=", "+=" or "-=" off the front of *rest; NULL when there is none. */
static const char *take_operator(struct span *rest)
{
	static const char *const operators[] = { "=", "+=", "-=" };

	*rest = span_trim(*rest);
	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(operators[i]);

		if (span_length(*rest) >= length &&
		    memcmp(rest->start, operators[i], length) == 0) {
			rest->start += length;
			return operators[i];
		}
	}
	return NULL;
}

enum { NAME_MOST = 64 };

/* Cuts an attribute's name off the front of *rest; false when there is none. */
static bool take_name(struct span *rest, char name[NAME_MOST])
{
	size_t length = 0;

	while (rest->start < rest->end &&
	       (isalnum((unsigned char)*rest->start) || *rest->start == '_')) {
		if (length == NAME_MOST - 1)
			return false;
		name[length++] = *rest->start++;
	}
	name[length] = '\0';
	return length > 0;
}

/* What libconfuse's table calls the attribute; an unknown one is left to it. */
static const char *canonical_name(const char *name)
{
	int index = attribute_find(name);

	return index < 0 ? name : attributes[index].name;
}

/* Writes one line of an entry. False, reported, when it is malformed. */
static bool put_assignment(struct syntax *syntax, FILE *body, struct span line)
{
	struct span rest = line;
	char name[NAME_MOST];
	const char *operator, *wrong;

	if (memchr(line.start, '\0', span_length(line))) {
		report(syntax, syntax->line, "a NUL byte in the line; configuration is text");
		return false;
	}
	if (!take_name(&rest, name) || !(operator = take_operator(&rest))) {
		problem_add(syntax->problems, ERROR, syntax->file, syntax->line,
			    "\"%.*s\" is not of the form ATTRIBUTE = VALUES, with =, += or -=",
			    SHOWN(line));
		return false;
	}
	fprintf(body, "%s += {'%s'", canonical_name(name), operator);
	wrong = put_values(syntax, body, name, rest);
	if (wrong)
		report(syntax, syntax->line, wrong);
	putc('}', body);
	return !wrong;
}

/* True for a line that can only be a header: the `}` before it is missing. */
static bool line_is_header(struct span line)
{
	struct span word = take_plain_word(&line), rest = line;

	if (take_operator(&rest))
		return false;
	return span_is(word, "service") || span_is(word, "defaults");
}

/* Reads lines up to the closing brace. `body` gets a newline for each. */
static void read_body(struct syntax *syntax, struct raw_entry *entry, FILE *body)
{
	struct syntax before = *syntax;
	struct span line;

	for (; next_line(syntax, &line); before = *syntax) {
		if (line_is_brace(line, '}'))
			return;
		if (line_is_header(line)) {
			syntax->next = before.next; /* the header is read as one */
			syntax->line = before.line;
			break;
		}
		if (!is_idle_line(line) && !put_assignment(syntax, body, line))
			entry->broken = true;
		putc('\n', body);
	}
	problem_add(syntax->problems, ERROR, syntax->file, entry->line,
		    "this %s entry has no closing \"}\"", entry_kind_name(entry->kind));
	entry->broken = true;
}

/* --- headers ---------------------------------------------------------------- */

static bool kind_has_body(enum entry_kind kind)
{
	return kind < ENTRY_INCLUDE;
}

static bool kind_has_name(enum entry_kind kind)
{
	return kind == ENTRY_SERVICE || kind >= ENTRY_INCLUDE;
}

static int find_kind(struct span word)
{
	for (int kind = 0; kind <= ENTRY_INCLUDEDIR; kind++)
		if (span_is(word, kind_names[kind]))
			return kind;
	return -1;
}

/* Reads "KEYWORD [NAME] [ignored words] [{]". *opened tells whether the brace was
 * there. False, reported, when it is no header. */
static bool parse_header(struct syntax *syntax, struct span line, struct raw_entry *entry,
			 bool *opened)
{
	struct span rest = line, name = { line.end, line.end };
	int kind = find_kind(take_plain_word(&rest));

	if (kind < 0) {
		problem_add(syntax->problems, ERROR, syntax->file, syntax->line,
			    "\"%.*s\" stands between entries, where \"service NAME\", defaults, "
			    "include or includedir is expected; everything up to the next line "
			    "with only \"}\" is skipped", SHOWN(line));
		return false;
	}
	if (kind_has_name((enum entry_kind)kind))
		name = take_plain_word(&rest);
	rest = span_trim(rest);
	*opened = kind_has_body((enum entry_kind)kind) && rest.start < rest.end && rest.end[-1] == '{' &&
		  (rest.end - 1 == rest.start || is_blank_char(rest.end[-2]));
	if (kind_has_name((enum entry_kind)kind) && name.start == name.end) {
		problem_add(syntax->problems, ERROR, syntax->file, syntax->line,
			    "%s needs a %s after it", kind_names[kind],
			    kind == ENTRY_SERVICE ? "name" : "path");
		return false;
	}
	entry->kind = (enum entry_kind)kind;
	entry->line = syntax->line;
	entry->name = strndup(name.start, span_length(name));
	return entry->name != NULL;
}

/* Finds the `{` of an entry. When something else comes first it is left to be
 * read again if it is a header; otherwise the entry's remains are skipped. */
static bool find_opening_brace(struct syntax *syntax, const struct raw_entry *entry)
{
	struct syntax before = *syntax;
	struct span line;

	if (next_significant_line(syntax, &line) && line_is_brace(line, '{'))
		return true;
	problem_add(syntax->problems, ERROR, syntax->file, entry->line,
		    "%s%s%s has no \"{\" on this or the next line", entry_kind_name(entry->kind),
		    entry->name[0] ? " " : "", entry->name);
	syntax->lost_entries = true;
	if (line_is_header(line)) {
		syntax->next = before.next; /* the header is read as one */
		syntax->line = before.line;
	} else {
		skip_to_closing_brace(syntax);
	}
	return false;
}

static bool read_entry_body(struct syntax *syntax, struct raw_entry *entry)
{
	size_t size;
	FILE *body = open_memstream(&entry->body, &size);

	if (!body)
		return false;
	entry->body_line = syntax->line + 1;
	read_body(syntax, entry, body);
	fflush(body);
	return fclose(body) == 0 && entry->body;
}

/* Reads one entry from its header line on. Returns 1, 0 when there was none
 * (reported), -1 when memory ran out. */
static int read_entry(struct syntax *syntax, struct span line, struct raw_entry *entry)
{
	bool opened;

	if (!parse_header(syntax, line, entry, &opened)) {
		syntax->lost_entries = true;
		skip_to_closing_brace(syntax);
		return 0;
	}
	if (!kind_has_body(entry->kind))
		return 1;
	if (!opened && !find_opening_brace(syntax, entry))
		return 0;
	return read_entry_body(syntax, entry) ? 1 : -1;
}

bool syntax_next(struct syntax *syntax, struct raw_entry *entry)
{
	struct span line;

	while (next_significant_line(syntax, &line)) {
		int found;

		*entry = (struct raw_entry){ 0 };
		found = read_entry(syntax, line, entry);
		if (found > 0)
			return true;
		raw_entry_clear(entry);
		if (found < 0) {
			report(syntax, syntax->line, "out of memory; the rest is not read");
			return false;
		}
	}
	return false;
}

void raw_entry_clear(struct raw_entry *entry)
{
	free(entry->name);
	free(entry->body);
	*entry = (struct raw_entry){ 0 };
}
