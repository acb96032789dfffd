/* Reads arbitrary bytes as configuration, checks the entries against the headers'
 * contracts, prints them and reads that again. */
#include "config/attributes.h"
#include "config/entry.h"
#include "config/word_list.h"

#include "fuzz.h"

static void check_line(const struct entry *entry, const struct attribute *attribute,
		       const struct assignment *line)
{
	int count = (int)line->count;

	require(line->line > entry->line);
	require(count >= attribute->least && (attribute->most < 0 || count <= attribute->most));
	require(line->sign == ASSIGN_SET || attribute->shape != SHAPE_SCALAR);
	for (size_t i = 0; i < line->count; i++) {
		require(line->words[i]->line == line->line && line->words[i]->file == entry->file);
		require(!strchr(line->words[i]->text, '\n'));
	}
}

static void check_entry(const struct entry *entry)
{
	for (size_t i = 0; i < attribute_count; i++) {
		const struct assignment *first = entry_lines(entry, i);

		require(!first || !first->next || attributes[i].shape != SHAPE_SCALAR);
		for (const struct assignment *line = first; line; line = line->next)
			check_line(entry, &attributes[i], line);
	}
}

/* --- printing, and reading that ------------------------------------------------------ */

static void print_line(struct text *out, const char *name, const struct assignment *line)
{
	text_add(out, name);
	text_add_char(out, ' ');
	text_add(out, assign_operator_text(line->sign));
	for (size_t i = 0; i < line->count; i++)
		word_print(line->words[i]->text, out);
	text_add_char(out, '\n');
}

/* To be freed. */
static char *print_entry(const struct entry *entry, size_t *size)
{
	struct text out = { 0 };
	char *text;

	text_add(&out, entry_kind_name(entry->kind));
	text_add_char(&out, ' ');
	text_add(&out, entry->name);
	text_add(&out, "\n{\n");
	for (size_t i = 0; i < attribute_count; i++)
		for (const struct assignment *line = entry_lines(entry, i); line; line = line->next)
			print_line(&out, attributes[i].name, line);
	text_add(&out, "}\n");
	*size = out.length;
	text = text_copy_out(&out);
	text_free(&out);
	require(text);
	return text;
}

static bool same_lines(const struct assignment *one, const struct assignment *other)
{
	for (; one && other; one = one->next, other = other->next) {
		if (one->sign != other->sign || one->count != other->count)
			return false;
		for (size_t i = 0; i < one->count; i++)
			if (strcmp(one->words[i]->text, other->words[i]->text) != 0)
				return false;
	}
	return !one && !other;
}

static void check_printed(const struct entry *entry)
{
	struct problems problems = { 0 };
	struct syntax syntax;
	struct raw_entry raw;
	struct entry *again;
	size_t size;
	char *text = print_entry(entry, &size);

	syntax_begin(&syntax, "printed", text, size, &problems);
	require(syntax_next(&syntax, &raw));
	again = entry_parse(&raw, "printed", &problems);
	require(again && !again->broken && problems.errors == 0);
	require(again->kind == entry->kind && strcmp(again->name, entry->name) == 0);
	for (size_t i = 0; i < attribute_count; i++)
		require(same_lines(entry_lines(entry, i), entry_lines(again, i)));
	raw_entry_clear(&raw);
	require(!syntax_next(&syntax, &raw));
	entry_free(again);
	problems_clear(&problems);
	free(text);
}

/* --- reading ------------------------------------------------------------------------------ */

static void take_entry(const struct raw_entry *raw, struct problems *problems)
{
	size_t errors = problems->errors;
	struct entry *entry;

	if (raw->kind >= ENTRY_INCLUDE) {
		require(raw->name[0] != '\0' && !raw->body);
		return;
	}
	entry = entry_parse(raw, "file", problems);
	require(entry != NULL);
	require(entry->broken == (raw->broken || problems->errors > errors));
	check_entry(entry);
	if (!entry->broken)
		check_printed(entry);
	entry_free(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct problems problems = { 0 };
	struct syntax syntax;
	struct raw_entry raw;
	int last_line = 0;

	syntax_begin(&syntax, "file", (const char *)bytes, length, &problems);
	while (syntax_next(&syntax, &raw)) {
		require(raw.line > last_line && raw.line <= syntax.lines.number);
		last_line = raw.line;
		take_entry(&raw, &problems);
		raw_entry_clear(&raw);
	}
	for (size_t i = 0; i < problems.count; i++)
		require(problems.list[i].line > 0 && problems.list[i].line <= syntax.lines.number);
	problems_clear(&problems);
	return 0;
}
