#include "import/draft.h"

#include "config/word_list.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- notes ------------------------------------------------------------------------------- */

static void add_printable(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		text_add_char(text, bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?');
}

enum { NOTE_SIZE = 512 };

void import_note(struct import *import, struct span what, const char *format, ...)
{
	const char *file = import->file;
	char why[NOTE_SIZE];
	va_list values;
	int shown = span_length(what) > SHOWN_MAX ? SHOWN_MAX : (int)span_length(what);

	va_start(values, format);
	vsnprintf(why, sizeof why, format, values);
	va_end(values);
	text_add(&import->notes, "#   ");
	add_printable(&import->notes, file, strlen(file));
	if (import->line > 0)
		text_add_format(&import->notes, ":%d", import->line);
	text_add(&import->notes, ": ");
	add_printable(&import->notes, what.start, (size_t)shown);
	text_add(&import->notes, ": ");
	add_printable(&import->notes, why, strlen(why));
	text_add_char(&import->notes, '\n');
}

void import_complain(struct import *import, const char *text)
{
	problem_add(import->problems, ERROR, import->file, import->line, "%s", text);
}

/* --- attributes -------------------------------------------------------------------------- */

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.", c));
}

void draft_rename(struct draft *draft, struct span name)
{
	size_t length = 0;

	for (; name.start < name.end && length + 8 < sizeof draft->name; name.start++)
		draft->name[length++] = is_name_char(*name.start) ? *name.start : '-';
	draft->name[length] = '\0';
	if (length == 0)
		strcpy(draft->name, "service");
}

void draft_begin(struct draft *draft, struct import *import, struct span name)
{
	memset(draft, 0, sizeof *draft);
	draft->import = import;
	draft_rename(draft, name);
}

static struct span span_of(const char *text)
{
	return (struct span){ text, text + strlen(text) };
}

/* NULL, noted, when this program has no such attribute. */
static struct draft_line *line_of(struct draft *draft, const char *attribute)
{
	int index = attribute_find(attribute);

	if (index >= 0)
		return &draft->lines[index];
	import_note(draft->import, span_of(attribute), "this usherd has no such attribute");
	return NULL;
}

void draft_unset(struct draft *draft, const char *attribute)
{
	int index = attribute_find(attribute);

	if (index < 0)
		return;
	draft->lines[index].is_set = false;
	draft->lines[index].words.length = 0;
}

void draft_set(struct draft *draft, const char *attribute, const char *words)
{
	struct draft_line *line = line_of(draft, attribute);

	if (!line)
		return;
	line->is_set = true;
	line->words.length = 0;
	if (*words)
		text_add_char(&line->words, ' ');
	text_add(&line->words, words);
}

void draft_set_format(struct draft *draft, const char *attribute, const char *format, ...)
{
	char words[NOTE_SIZE];
	va_list values;

	va_start(values, format);
	vsnprintf(words, sizeof words, format, values);
	va_end(values);
	draft_set(draft, attribute, words);
}

enum { WORD_LENGTH = 64 * 1024 };

/* False, noted, when the word can't be in an entry. */
static bool can_be_written(struct draft *draft, const char *attribute, struct span word)
{
	const char *c = word.start;

	while (c < word.end && *c != '\0' && *c != '\n' && *c != '\r')
		c++;
	if (c == word.end && span_length(word) <= WORD_LENGTH)
		return true;
	import_note(draft->import, word, "an entry can't have %s in %s",
		    c < word.end ? "a line break" : "so long a word", attribute);
	return false;
}

static void add_word(struct draft_line *line, struct span word)
{
	char *copy = strndup(word.start, span_length(word));

	if (copy)
		word_print(copy, &line->words);
	else
		line->words.failed = true;
	line->is_set = true;
	free(copy);
}

void draft_add(struct draft *draft, const char *attribute, struct span word)
{
	struct draft_line *line = line_of(draft, attribute);

	if (line && can_be_written(draft, attribute, word))
		add_word(line, word);
}

void draft_add_pair(struct draft *draft, const char *attribute, struct span first,
		    struct span second)
{
	struct draft_line *line = line_of(draft, attribute);

	if (!line || !can_be_written(draft, attribute, first) ||
	    !can_be_written(draft, attribute, second))
		return;
	add_word(line, first);
	add_word(line, second);
}

struct span size_text(char text[SIZE_TEXT], uint64_t bytes)
{
	static const char units[] = "GMK";
	unsigned unit = 0;

	while (units[unit] && (bytes == 0 || bytes % ((uint64_t)1 << 10 * (3 - unit)) != 0))
		unit++;
	snprintf(text, SIZE_TEXT, "%llu%.1s", (unsigned long long)(bytes >> 10 * (3 - unit)),
		 units + unit);
	return span_of(text);
}

bool draft_has(const struct draft *draft, const char *attribute)
{
	int index = attribute_find(attribute);

	return index >= 0 && draft->lines[index].is_set;
}

bool draft_is(const struct draft *draft, const char *attribute, const char *words)
{
	int index = attribute_find(attribute);
	const struct draft_line *line = index >= 0 ? &draft->lines[index] : NULL;

	return line && line->is_set && line->words.length == strlen(words) + 1 &&
	       memcmp(line->words.bytes + 1, words, strlen(words)) == 0;
}

void draft_add_flag(struct draft *draft, const char *flag)
{
	draft_add(draft, "flags", span_of(flag));
}

/* --- programs ---------------------------------------------------------------------------- */

static const char *const program_directories[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
						   "/usr/bin",        "/sbin",          "/bin" };

enum { DIRECTORIES = sizeof program_directories / sizeof program_directories[0] };

/* Writes the path of a program without a slash. */
static void find_program(struct draft *draft, struct span name, char path[PATH_MAX])
{
	int length = (int)span_length(name);

	for (size_t i = 0; i < DIRECTORIES; i++) {
		snprintf(path, PATH_MAX, "%s/%.*s", program_directories[i], length, name.start);
		if (access(path, X_OK) == 0)
			return;
	}
	snprintf(path, PATH_MAX, "/usr/bin/%.*s", length, name.start);
	import_note(draft->import, name, "there is no such program here; %s stands in the entry",
		    path);
}

void draft_set_program(struct draft *draft, struct span program)
{
	const char *directory = draft->import->directory;
	char path[PATH_MAX];

	draft_unset(draft, "server");
	if (span_is_empty(program) || span_length(program) + strlen(directory) + 20 > PATH_MAX ||
	    memchr(program.start, '\0', span_length(program)))
		return;
	if (*program.start == '/') {
		draft_add(draft, "server", program);
		return;
	}
	if (!memchr(program.start, '/', span_length(program))) {
		find_program(draft, program, path);
	} else {
		if (span_length(program) > 2 && memcmp(program.start, "./", 2) == 0)
			program.start += 2;
		snprintf(path, sizeof path, "%s/%.*s", directory, (int)span_length(program),
			 program.start);
	}
	draft_add(draft, "server", span_of(path));
}

void draft_set_stream(struct draft *draft)
{
	draft_set(draft, "type", "UNLISTED");
	draft_set(draft, "socket_type", "stream");
	draft_set(draft, "protocol", "tcp");
	draft_set(draft, "wait", "no");
}

void draft_choose_user(struct draft *draft, const char *why)
{
	if (draft_has(draft, "user"))
		return;
	draft_set(draft, "user", "nobody");
	import_note(draft->import, span_of(draft->name),
		    "%s; choose a user of its own in place of nobody", why);
}

/* --- writing ----------------------------------------------------------------------------- */

static bool is_name_taken(const struct import *import, const char *name)
{
	char header[DRAFT_NAME_SIZE + 16];
	int length = snprintf(header, sizeof header, "service %s\n{", name);

	return import->entries.length > 0 &&
	       memmem(import->entries.bytes, import->entries.length, header, (size_t)length);
}

/* The name, followed by a number when it is taken. */
static void choose_name(const struct draft *draft, char name[DRAFT_NAME_SIZE + 8])
{
	size_t number = 2;

	strcpy(name, draft->name);
	while (is_name_taken(draft->import, name))
		snprintf(name, DRAFT_NAME_SIZE + 8, "%s-%zu", draft->name, number++);
}

static bool is_internal(const struct draft *draft)
{
	const struct text *type = &draft->lines[attribute_find("type")].words;

	return type->length > 0 && memmem(type->bytes, type->length, "INTERNAL", 8);
}

static void disable_unless_complete(struct draft *draft)
{
	if (draft_has(draft, "server") || draft_has(draft, "redirect") ||
	    draft_has(draft, "disable") || is_internal(draft))
		return;
	draft_set(draft, "disable", "yes");
	import_note(draft->import, span_of(draft->name),
		    "no program is named: set server, and remove disable");
}

static void write_lines(const struct draft *draft, struct text *out)
{
	for (size_t i = 0; i < attribute_count; i++) {
		const struct draft_line *line = &draft->lines[i];

		if (!line->is_set)
			continue;
		text_add_char(out, '\t');
		text_add_padded(out, attributes[i].name, 15);
		text_add(out, " =");
		text_add_bytes(out, line->words.bytes ? line->words.bytes : "", line->words.length);
		text_add_char(out, '\n');
		out->failed |= line->words.failed;
	}
}

void draft_write(struct draft *draft)
{
	struct import *import = draft->import;
	char name[DRAFT_NAME_SIZE + 8];

	if (import->count == IMPORT_ENTRIES_MAX) {
		import_complain(import, "there are too many services; import fewer at a time");
		return;
	}
	import->count++;
	disable_unless_complete(draft);
	choose_name(draft, name);
	text_add_format(&import->entries, "%sservice %s\n{\n",
			import->entries.length > 0 ? "\n" : "", name);
	write_lines(draft, &import->entries);
	text_add(&import->entries, "}\n");
}

void draft_clear(struct draft *draft)
{
	for (size_t i = 0; i < attribute_count; i++)
		text_free(&draft->lines[i].words);
}
