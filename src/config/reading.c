#include "config/reading.h"

#include "base/span.h"
#include "config/word.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MESSAGE_SIZE = 512 };

__attribute__((format(printf, 4, 0))) static void reading_report(struct reading *reading,
								 const struct word *word,
								 enum severity severity,
								 const char *format,
								 va_list arguments)
{
	char text[MESSAGE_SIZE];

	if (!word && reading->count > 0)
		word = reading->words[0];
	vsnprintf(text, sizeof text, format, arguments);
	problem_add(reading->problems, severity, word ? word->file : reading->file,
		    word ? word->line : reading->line, "%s: %s", reading->attribute, text);
}

void reading_refuse(struct reading *reading, const struct word *word, const char *format, ...)
{
	va_list arguments;

	reading->refused = true;
	va_start(arguments, format);
	reading_report(reading, word, ERROR, format, arguments);
	va_end(arguments);
}

void reading_advise(struct reading *reading, const struct word *word, enum severity severity,
		    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	reading_report(reading, word, severity, format, arguments);
	va_end(arguments);
}

bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
	return span_number((struct span){ text, text + strlen(text) }, most, number);
}

bool parse_size(const char *text, uint64_t *size)
{
	struct span digits = { text, text + strlen(text) };
	static const char units[] = "KMGkmg"; /* each 1024 of the one before */
	uint64_t factor = 1;

	if (!span_is_empty(digits) && strchr(units, digits.end[-1]))
		factor = (uint64_t)1 << (10 * (1 + (strchr(units, *--digits.end) - units) % 3));
	if (!span_number(digits, UINT64_MAX / factor, size))
		return false;
	*size *= factor;
	return true;
}

/* The most names any table has. */
enum { NAMES_MAX = 16 };

static void refuse_name(struct reading *reading, const struct word *word,
			const struct name_value *table)
{
	const char *names[NAMES_MAX + 1];
	const char *nearest;
	size_t count = 0;

	for (; table->name && count < NAMES_MAX; table++)
		names[count++] = table->name;
	names[count] = NULL;
	nearest = nearest_word(word->text, names);
	if (nearest)
		reading_refuse(reading, word, "unknown value \"%s\"; did you mean \"%s\"?",
			       word->text, nearest);
	else
		reading_refuse(reading, word, "unknown value \"%s\"", word->text);
}

bool read_name(struct reading *reading, const struct word *word, const struct name_value *table,
	       int *value)
{
	for (const struct name_value *each = table; each->name; each++)
		if (strcasecmp(each->name, word->text) == 0) {
			*value = each->value;
			return true;
		}
	refuse_name(reading, word, table);
	return false;
}

void read_set(struct reading *reading, unsigned *set, const struct name_value *table)
{
	for (size_t i = 0; i < reading->count; i++) {
		int value;

		if (read_name(reading, reading->words[i], table, &value))
			*set |= (unsigned)value;
	}
}

const char *path_separator(const char *directory)
{
	size_t length = strlen(directory);

	return length > 0 && directory[length - 1] == '/' ? "" : "/";
}

char *absolute_path(struct reading *reading, const char *directory, const char *path)
{
	size_t size = strlen(directory) + strlen(path) + 2;
	char *absolute;

	if (path[0] == '/')
		return arena_string(reading->arena, path);
	absolute = arena_take(reading->arena, size);
	if (absolute)
		snprintf(absolute, size, "%s%s%s", directory, path_separator(directory), path);
	return absolute;
}

void strings_fill(struct reading *reading, struct strings *strings)
{
	strings->is_set = true;
	strings->list = arena_take(reading->arena, (reading->count + 1) * sizeof *strings->list);
	if (!strings->list)
		return;
	for (size_t i = 0; i < reading->count; i++)
		strings->list[i] = arena_string(reading->arena, reading->words[i]->text);
	strings->count = (unsigned)reading->count;
}
