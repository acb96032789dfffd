#include "config/syntax.h"

#include "config/attributes.h"
#include "config/bounds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[ENTRY_SERVICE] = "service", [ENTRY_DEFAULTS] = "defaults",     [ENTRY_DAEMON] = "daemon",
	[ENTRY_INCLUDE] = "include", [ENTRY_INCLUDEDIR] = "includedir",
};

const char *entry_kind_name(enum entry_kind kind)
{
	return kind_names[kind];
}

static void report(const struct syntax *syntax, int line, const char *text)
{
	problem_add(syntax->problems, ERROR, syntax->file, line, "%s", text);
}

void syntax_begin(struct syntax *syntax, const char *file, const char *text, size_t length,
		  struct problems *problems)
{
	*syntax = (struct syntax){ .file = file, .problems = problems };
	lines_begin(&syntax->lines, text, length);
}

/* The next line that is neither empty nor a comment. */
static bool next_significant_line(struct syntax *syntax, struct span *line)
{
	while (lines_next(&syntax->lines, line))
		if (!span_is_idle(*line))
			return true;
	return false;
}

/* False, reported, for a line that is too long or has a NUL byte. */
static bool line_is_text(const struct syntax *syntax, struct span line)
{
	if (span_length(line) > LINE_LENGTH_MAX) {
		report(syntax, syntax->lines.number,
		       "a line of more than 1 MiB; use several with +=");
		return false;
	}
	if (!memchr(line.start, '\0', span_length(line)))
		return true;
	report(syntax, syntax->lines.number, "a NUL byte in the line; configuration is text");
	return false;
}

/* True for `brace` alone on its line, a comment after it allowed. */
static bool line_is_brace(struct span line, char brace)
{
	if (line.start == line.end || *line.start != brace)
		return false;
	line.start++;
	return span_is_idle(span_trim(line));
}

/* Skips everything up to a line with only `}`, as xinetd does. True when there was
 * something. */
static bool skip_to_closing_brace(struct syntax *syntax)
{
	bool skipped = false;
	struct span line;

	while (next_significant_line(syntax, &line) && !line_is_brace(line, '}'))
		skipped = true;
	return skipped;
}

/* --- bodies ----------------------------------------------------------------- */

/* Writes one character of a libconfuse '...' string. */
static void put_char(struct text *body, char c)
{
	if (c == '\\' || c == '\'')
		text_add_char(body, '\\');
	text_add_char(body, c);
}

static void begin_value(struct text *body, char sign)
{
	if (body->length > 0 && body->bytes[body->length - 1] != '{')
		text_add_char(body, ',');
	text_add_char(body, '\'');
	text_add_char(body, sign);
}

void syntax_begin_values(struct text *body, const char *attribute)
{
	text_add(body, attribute);
	text_add(body, "+={");
}

void syntax_put_value(struct text *body, char sign, const char *text, size_t length)
{
	begin_value(body, sign);
	for (size_t i = 0; i < length; i++)
		put_char(body, text[i]);
	text_add_char(body, '\'');
}

void syntax_end_values(struct text *body, char sign)
{
	if (body->length > 0 && body->bytes[body->length - 1] == '{') {
		begin_value(body, SYNTAX_NO_VALUES);
		text_add_char(body, sign);
		text_add_char(body, '\'');
	}
	text_add_char(body, '}');
}

static const char word_too_long[] = "a word of more than 128 KiB";

/* Takes the "..." word off the front of *rest and writes it as a libconfuse string.
 * Returns NULL, or what is wrong with it. */
static const char *put_quoted_word(struct text *body, char sign, struct span *rest)
{
	const char *c = rest->start + 1;

	begin_value(body, sign);
	for (; c < rest->end && *c != '"'; c++) {
		if (*c == '\\' && c + 1 < rest->end && (c[1] == '"' || c[1] == '\\'))
			c++;
		put_char(body, *c);
	}
	text_add_char(body, '\'');
	if (c - rest->start > WORD_LENGTH_MAX)
		return word_too_long;
	if (c == rest->end)
		return "a word that begins with \" has no closing \"";
	rest->start = c + 1;
	if (rest->start < rest->end && !is_blank_char(*rest->start))
		return "a blank is missing after the closing \"";
	return NULL;
}

static const char *put_word(struct text *body, char sign, struct span *rest)
{
	struct span word;

	if (*rest->start == '"')
		return put_quoted_word(body, sign, rest);
	word = span_take_word(rest);
	if (span_length(word) > WORD_LENGTH_MAX)
		return word_too_long;
	syntax_put_value(body, sign, word.start, span_length(word));
	return NULL;
}

static void warn_of_comment_in_data(struct syntax *syntax, const char *name)
{
	problem_add(syntax->problems, ADVICE, syntax->file, syntax->lines.number,
		    "\"#\" does not begin a comment in %s: it and what follows are passed on; "
		    "put the comment on a line of its own",
		    name);
}

/* Writes the values of one attribute. Returns NULL, or what is wrong. */
static const char *put_values(struct syntax *syntax, struct text *body, const char *name,
			      bool free_form, char sign, struct span rest)
{
	for (rest = span_trim(rest); rest.start < rest.end; rest = span_trim(rest)) {
		const char *wrong;

		if (*rest.start == '#' && !free_form)
			break;
		if (*rest.start == '#')
			warn_of_comment_in_data(syntax, name);
		wrong = put_word(body, sign, &rest);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* Takes "=", "+=" or "-=" off the front of *rest; NULL when there is none. */
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

enum { NAME_SIZE = 64 };

/* Takes an attribute's name off the front of *rest; false when there is none. */
static bool take_name(struct span *rest, char name[NAME_SIZE])
{
	size_t length = 0;

	while (rest->start < rest->end &&
	       (isalnum((unsigned char)*rest->start) || *rest->start == '_')) {
		if (length == NAME_SIZE - 1)
			return false;
		name[length++] = *rest->start++;
	}
	name[length] = '\0';
	return length > 0;
}

/* Writes one line of an entry. False, reported, when it is malformed. */
static bool put_assignment(struct syntax *syntax, struct text *body, struct span line)
{
	struct span rest = line;
	char name[NAME_SIZE];
	const char *sign, *wrong;
	int index;

	if (!line_is_text(syntax, line))
		return false;
	if (!take_name(&rest, name) || !(sign = take_operator(&rest))) {
		problem_add(syntax->problems, ERROR, syntax->file, syntax->lines.number,
			    "\"%.*s\" is not of the form ATTRIBUTE = VALUES, with =, += or -=",
			    SHOWN(line));
		return false;
	}
	index = attribute_find(name);
	/* libconfuse reports a name that is not in its table. */
	syntax_begin_values(body, index < 0 ? name : attributes[index].name);
	wrong = put_values(syntax, body, name, index >= 0 && (attributes[index].words & WORDS_FREE),
			   *sign, rest);
	if (wrong)
		report(syntax, syntax->lines.number, wrong);
	syntax_end_values(body, *sign);
	return !wrong;
}

static int find_kind(struct span word)
{
	for (int kind = 0; kind <= ENTRY_INCLUDEDIR && !span_is_empty(word); kind++)
		if (tolower((unsigned char)*word.start) == *kind_names[kind] &&
		    span_is(word, kind_names[kind]))
			return kind;
	return -1;
}

/* True for a line that can only be a header: the `}` before it is missing. */
static bool line_is_header(struct span line)
{
	struct span word = span_take_word(&line);

	return find_kind(word) >= 0 && !take_operator(&line);
}

/* Reads lines up to the closing brace. `body` gets a newline for each. */
static void read_body(struct syntax *syntax, struct raw_entry *entry, struct text *body)
{
	struct lines before = syntax->lines;
	struct span line;

	for (; lines_next(&syntax->lines, &line); before = syntax->lines) {
		if (line_is_brace(line, '}'))
			return;
		if (line_is_header(line)) {
			syntax->lines = before; /* the header is read as one */
			break;
		}
		if (!span_is_idle(line) && !put_assignment(syntax, body, line))
			entry->broken = true;
		text_add_char(body, '\n');
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

static void report_stray(const struct syntax *syntax, struct span line)
{
	problem_add(syntax->problems, ERROR, syntax->file, syntax->lines.number,
		    "\"%.*s\" stands between entries, where \"service NAME\", defaults, include or "
		    "includedir is expected; everything up to the next line with only \"}\" is "
		    "skipped",
		    SHOWN(line));
}

/* True when the last word of a header, before a comment, is `{`. */
static bool ends_with_brace(struct span rest)
{
	struct span word, last = { 0 };

	while (word = span_take_word(&rest), word.start < word.end && *word.start != '#')
		last = word;
	return last.start && span_is(last, "{");
}

/* Reads "KEYWORD [NAME] [ignored words] [{]". *opened: whether the brace was there. False,
 * reported, when it is no header. */
static bool parse_header(struct syntax *syntax, struct span line, struct raw_entry *entry,
			 bool *opened)
{
	struct span rest = line, name = { line.end, line.end };
	int kind = find_kind(span_take_word(&rest));

	if (!line_is_text(syntax, line))
		return false;
	if (kind < 0) {
		report_stray(syntax, line);
		return false;
	}
	entry->kind = (enum entry_kind)kind;
	entry->line = syntax->lines.number;
	if (kind_has_name(entry->kind))
		name = span_take_word(&rest);
	if (kind_has_name(entry->kind) && span_is_idle(name)) {
		problem_add(syntax->problems, ERROR, syntax->file, syntax->lines.number,
			    "%s needs a %s after it", kind_names[kind],
			    kind == ENTRY_SERVICE ? "name" : "path");
		return false;
	}
	if (span_length(name) > WORD_LENGTH_MAX) {
		report(syntax, syntax->lines.number, word_too_long);
		return false;
	}
	*opened = kind_has_body(entry->kind) && ends_with_brace(rest);
	entry->name = strndup(name.start, span_length(name));
	return true;
}

/* Finds the `{` of an entry. If another header comes first, it will be read again; if
 * something else comes first, the rest of the entry is skipped. */
static bool find_opening_brace(struct syntax *syntax, const struct raw_entry *entry)
{
	struct lines before = syntax->lines;
	struct span line = { 0 };
	bool found = next_significant_line(syntax, &line);

	if (found && line_is_brace(line, '{'))
		return true;
	problem_add(syntax->problems, ERROR, syntax->file, entry->line,
		    "%s%s%s has no \"{\" on this or the next line", entry_kind_name(entry->kind),
		    entry->name[0] ? " " : "", entry->name);
	syntax->lost_entries = true;
	if (found && line_is_header(line))
		syntax->lines = before; /* the header is read as one */
	else
		skip_to_closing_brace(syntax);
	return false;
}

static bool read_entry_body(struct syntax *syntax, struct raw_entry *entry)
{
	struct text body = { 0 };

	entry->body_line = syntax->lines.number + 1;
	read_body(syntax, entry, &body);
	entry->body = text_copy_out(&body);
	text_free(&body);
	return entry->body != NULL;
}

/* Skips the text after a line that is no header. */
static void recover(struct syntax *syntax, struct span line, enum entry_kind kind)
{
	bool skipped = kind_has_body(kind) && skip_to_closing_brace(syntax);

	syntax->lost_entries |= skipped || !line_is_brace(line, '}');
}

/* Reads one entry from its header line on. Returns 1, 0 when there was none
 * (reported), -1 when memory ran out. */
static int read_entry(struct syntax *syntax, struct span line, struct raw_entry *entry)
{
	bool opened;

	if (!parse_header(syntax, line, entry, &opened)) {
		recover(syntax, line, entry->kind);
		return 0;
	}
	if (!entry->name)
		return -1;
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
			report(syntax, syntax->lines.number, "out of memory; the rest is not read");
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
