#include "config/entry.h"

#include "config/attributes.h"

#include <confuse.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ERRORS_PER_ENTRY = 16, MESSAGE_SIZE = 256 };

/* The state of libconfuse's callbacks, which get no context; it parses one text at a
 * time. */
static struct {
	struct entry *entry;
	const struct raw_entry *raw;
	char *body;
	struct problems *problems;
	int failed_line; /* of the body; 0: none */
} parse;

static int source_line(int body_line)
{
	return parse.raw->body_line + body_line - 1;
}

/* Where line number `line` of the body begins. */
static char *body_line_start(int line)
{
	char *start = parse.body;

	while (start && --line > 0) {
		start = strchr(start, '\n');
		start = start ? start + 1 : NULL;
	}
	return start;
}

static void report_memory(int line)
{
	parse.entry->broken = true;
	problem_add(parse.problems, ERROR, parse.entry->file, line, "out of memory");
}

static unsigned place_of(enum entry_kind kind)
{
	return kind == ENTRY_SERVICE    ? IN_SERVICE
	       : kind == ENTRY_DEFAULTS ? IN_DEFAULTS
					: IN_DAEMON;
}

static void report_unknown(const char *name, int line)
{
	const char *nearest = attribute_nearest(name, place_of(parse.entry->kind));

	problem_add(parse.problems, ERROR, parse.entry->file, line,
		    nearest ? "unknown attribute \"%s\"; did you mean \"%s\"?"
			    : "unknown attribute \"%s\"",
		    name, nearest);
}

/* libconfuse's error callback: parsing stops at the first error, whose line is noted. */
__attribute__((format(printf, 2, 0))) static void on_parse_error(cfg_t *cfg, const char *format,
								 va_list arguments)
{
	char text[MESSAGE_SIZE], name[64];
	const char *start = body_line_start(cfg->line);

	parse.failed_line = cfg->line;
	parse.entry->broken = true;
	if (start && sscanf(start, "%63[A-Za-z0-9_]", name) == 1 && attribute_find(name) < 0) {
		report_unknown(name, source_line(cfg->line));
		return;
	}
	vsnprintf(text, sizeof text, format, arguments);
	problem_add(parse.problems, ERROR, parse.entry->file, source_line(cfg->line), "%s", text);
}

/* libconfuse's value callback: keeps the word, its line, and the operator before it. */
static int on_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
	size_t size = strlen(value);
	struct word *word = arena_take(&parse.entry->words, sizeof *word + size);

	(void)option;
	if (!word)
		return -1;
	word->file = parse.entry->file;
	word->line = source_line(cfg->line);
	word->is_value = *value != SYNTAX_NO_VALUES;
	word->sign = word->is_value ? value[0] : value[1];
	memcpy(word->text, value + 1, size);
	*(void **)result = word;
	return 0;
}

/* libconfuse's table of options, from the table of attributes. */
static cfg_opt_t *option_table(void)
{
	static cfg_opt_t options[ATTRIBUTES_MAX + 1];

	if (options[0].name)
		return options;
	for (size_t i = 0; i < attribute_count; i++)
		options[i] = (cfg_opt_t)CFG_PTR_LIST_CB(attributes[i].name, NULL, CFGF_NODEFAULT,
							on_value, NULL);
	options[attribute_count] = (cfg_opt_t)CFG_END();
	return options;
}

const char *assign_operator_text(enum assign_operator sign)
{
	static const char *const texts[] = { "=", "+=", "-=" };

	return texts[sign];
}

static enum assign_operator operator_from(char sign)
{
	return sign == '+' ? ASSIGN_ADD : sign == '-' ? ASSIGN_REMOVE : ASSIGN_SET;
}

static const struct word *word_of(const cfg_opt_t *option, unsigned index)
{
	return option->values[index]->ptr;
}

/* The words of one line, from start to before end. */
static struct assignment *assignment_new(const cfg_opt_t *option, unsigned start, unsigned end)
{
	const struct word *first = word_of(option, start);
	size_t count = first->is_value ? end - start : 0;
	struct assignment *assignment =
		arena_take(&parse.entry->words,
			   sizeof *assignment + count * sizeof assignment->words[0]);

	if (!assignment) {
		report_memory(first->line);
		return NULL;
	}
	assignment->sign = operator_from(first->sign);
	assignment->file = first->file;
	assignment->line = first->line;
	assignment->count = count;
	for (size_t i = 0; i < count; i++)
		assignment->words[i] = word_of(option, start + (unsigned)i);
	return assignment;
}

/* Splits the words of one attribute into its lines. */
static struct assignment *assignments_from(const cfg_opt_t *option)
{
	struct assignment *first = NULL, **last = &first;

	for (unsigned start = 0, end; start < option->nvalues; start = end) {
		int line = word_of(option, start)->line;

		for (end = start + 1; end < option->nvalues && word_of(option, end)->line == line;)
			end++;
		*last = assignment_new(option, start, end);
		if (!*last)
			break;
		last = &(*last)->next;
	}
	return first;
}

/* libconfuse's parser, kept for the next entry: creating one is slow, because it compares
 * every name of the table with every other. The body has names as the table does. */
static cfg_t *parser;

static cfg_t *parser_get(void)
{
	if (!parser)
		parser = cfg_init(option_table(), CFGF_NONE);
	if (parser)
		cfg_set_error_function(parser, on_parse_error);
	return parser;
}

/* After an error, the lexer's state must not reach the next entry. */
static void parser_drop(void)
{
	cfg_free(parser);
	parser = NULL;
}

_Static_assert(ATTRIBUTES_MAX <= UCHAR_MAX, "entry->places has bytes");

/* Takes the words out of libconfuse. */
static void take_options(cfg_opt_t *options)
{
	struct entry *entry = parse.entry;
	unsigned char count = 0;

	for (size_t i = 0; i < attribute_count; i++)
		count += options[i].nvalues > 0;
	entry->assigned = arena_take(&entry->words, count * sizeof *entry->assigned);
	if (!entry->assigned)
		report_memory(entry->line);
	count = 0;
	for (size_t i = 0; i < attribute_count; i++) {
		if (options[i].nvalues == 0)
			continue;
		if (entry->assigned) {
			entry->assigned[count++] = assignments_from(&options[i]);
			entry->places[i] = count;
		}
		cfg_free_value(&options[i]);
	}
}

/* One run of libconfuse over the body. True when it found no error. */
static bool parse_body(void)
{
	cfg_t *cfg = parser_get();

	if (!cfg) {
		report_memory(parse.entry->line);
		return true;
	}
	parse.failed_line = 0;
	if (cfg_parse_buf(cfg, parse.body) == CFG_SUCCESS) {
		take_options(cfg->opts);
		return true;
	}
	arena_free(&parse.entry->words);
	parser_drop();
	return false;
}

/* Makes the line of the last error empty. False when it can't be found. */
static bool blank_failed_line(void)
{
	char *c = parse.failed_line > 0 ? body_line_start(parse.failed_line) : NULL;

	if (!c || *c == '\n' || *c == '\0')
		return false;
	while (*c != '\n' && *c != '\0')
		*c++ = ' ';
	return true;
}

/* libconfuse stops at an entry's first error. The line is removed and the body parsed
 * again, until all errors are reported. libconfuse does not report lack of memory. */
static void parse_whole_body(void)
{
	for (int errors = 0; !parse_body(); errors++) {
		parse.entry->broken = true;
		if (parse.failed_line == 0)
			report_memory(parse.entry->line);
		if (errors == ERRORS_PER_ENTRY || !blank_failed_line())
			return;
	}
}

/* --- the rules of assignment -------------------------------------------------- */

static bool operator_fits(const struct attribute *attribute, const struct assignment *assignment)
{
	enum assign_operator sign = assignment->sign;
	bool fits = sign == ASSIGN_SET || attribute->shape == SHAPE_LIST ||
		    (attribute->shape == SHAPE_GROWING && sign == ASSIGN_ADD);

	if (!fits)
		problem_add(parse.problems, ERROR, assignment->file, assignment->line,
			    "%s takes %s, not \"%s\"", attribute->name,
			    attribute->shape == SHAPE_SCALAR ? "\"=\"" : "\"=\" or \"+=\"",
			    assign_operator_text(sign));
	return fits;
}

static const char *count_text(const struct attribute *attribute, char *text, size_t size)
{
	if (attribute->most == attribute->least)
		snprintf(text, size, "%d value%s", attribute->least,
			 attribute->least == 1 ? "" : "s");
	else if (attribute->most < 0)
		snprintf(text, size, "at least %d value", attribute->least);
	else
		snprintf(text, size, "%d to %d values", attribute->least, attribute->most);
	return text;
}

static bool count_fits(const struct attribute *attribute, const struct assignment *assignment)
{
	int count = (int)assignment->count;
	char text[64];

	if (count >= attribute->least && (attribute->most < 0 || count <= attribute->most))
		return true;
	problem_add(parse.problems, ERROR, assignment->file, assignment->line,
		    "%s takes %s and got %d%s", attribute->name,
		    count_text(attribute, text, sizeof text), count,
		    count > 1 && (attribute->words & WORDS_PROGRAM)
			    ? "; the program's arguments go into server_args"
			    : "");
	return false;
}

/* A scalar that is set twice keeps its first value. */
static void drop_repeats(const struct attribute *attribute, struct assignment *first)
{
	if (attribute->shape != SHAPE_SCALAR || !first->next)
		return;
	for (const struct assignment *later = first->next; later; later = later->next)
		problem_add(
			parse.problems, WARNING, later->file, later->line,
			"%s is already set on line %d; the first value counts, remove one of them",
			attribute->name, first->line);
	first->next = NULL;
}

/* False when attribute is not allowed in this kind of entry. */
static bool check_place(struct entry *entry, const struct attribute *attribute, int line)
{
	if (attribute->places & place_of(entry->kind))
		return true;
	if (attribute->places & REFUSED_IN_DEFAULTS && entry->kind == ENTRY_DEFAULTS) {
		entry->broken = true;
		problem_add(parse.problems, ERROR, entry->file, line,
			    "%s in defaults protects no service; write it in each service",
			    attribute->name);
		return false;
	}
	if (entry->kind == ENTRY_DEFAULTS) {
		problem_add(parse.problems, WARNING, entry->file, line,
			    "%s has no effect in defaults; set it in %s", attribute->name,
			    attribute->places & IN_SERVICE ? "each service" : "a daemon entry");
		return false;
	}
	entry->broken = true;
	problem_add(parse.problems, ERROR, entry->file, line, "%s has no place in %s",
		    attribute->name,
		    entry->kind == ENTRY_SERVICE ? "a service" : entry_kind_name(entry->kind));
	return false;
}

/* Removes lines that can't be used, so that readers find the right number of values. */
static void drop_unfit_lines(struct entry *entry, const struct attribute *attribute,
			     struct assignment **each)
{
	while (*each) {
		struct assignment *line = *each;

		if (operator_fits(attribute, line) && count_fits(attribute, line)) {
			each = &line->next;
			continue;
		}
		entry->broken = true;
		*each = line->next;
	}
}

static void check_attribute(struct entry *entry, size_t index)
{
	const struct attribute *attribute = &attributes[index];
	struct assignment **first;

	if (!entry_lines(entry, index))
		return;
	first = &entry->assigned[entry->places[index] - 1];
	if (!check_place(entry, attribute, (*first)->line)) {
		*first = NULL;
		return;
	}
	drop_repeats(attribute, *first);
	drop_unfit_lines(entry, attribute, first);
}

static bool says_disabled(const struct entry *entry)
{
	const struct assignment *disable = entry_lines(entry, ATTRIBUTE("disable"));

	return disable && disable->count == 1 && strcasecmp(disable->words[0]->text, "yes") == 0;
}

/* --- making one ------------------------------------------------------------------ */

static struct entry *entry_new(const struct raw_entry *raw, const char *file)
{
	size_t size = strlen(raw->name) + 1;
	struct entry *entry = calloc(1, sizeof *entry + attribute_count + size);

	if (!entry)
		return NULL;
	entry->kind = raw->kind;
	entry->file = file;
	entry->line = raw->line;
	entry->broken = raw->broken;
	entry->name = memcpy(entry->places + attribute_count, raw->name, size);
	return entry;
}

struct entry *entry_parse(const struct raw_entry *raw, const char *file, struct problems *problems)
{
	struct entry *entry = entry_new(raw, file);

	if (!entry) {
		problem_add(problems, ERROR, file, raw->line, "out of memory");
		return NULL;
	}
	parse.entry = entry;
	parse.raw = raw;
	parse.body = raw->body;
	parse.problems = problems;
	parse_whole_body();
	for (size_t i = 0; i < attribute_count; i++)
		check_attribute(entry, i);
	entry->disabled = says_disabled(entry);
	return entry;
}

/* Makes room for one more attribute with lines; false when memory runs out. */
static bool take_place(struct entry *entry, size_t attribute)
{
	struct assignment **larger;
	unsigned char count = 0;

	for (size_t i = 0; i < attribute_count; i++)
		count += entry->places[i] > 0;
	larger = arena_take(&entry->words, (count + 1U) * sizeof *larger);
	if (!larger)
		return false;
	if (count > 0)
		memcpy(larger, entry->assigned, count * sizeof *larger);
	entry->assigned = larger;
	entry->places[attribute] = (unsigned char)(count + 1);
	return true;
}

bool entry_put_first(struct entry *entry, size_t attribute, struct assignment *line)
{
	struct assignment **first;

	if (entry->places[attribute] == 0 && !take_place(entry, attribute))
		return false;
	first = &entry->assigned[entry->places[attribute] - 1];
	line->next = *first;
	*first = line;
	return true;
}

void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	arena_free(&entry->words);
	free(entry);
}
