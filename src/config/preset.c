#include "config/preset.h"

#include "config/attributes.h"

#include <string.h>
#include <strings.h>

enum { PRESET_WORDS_MAX = 16 }; /* of a line */

/* For a program that is taken for hostile. usherd.conf(5) says why each line is there. */
static const struct preset_line jail[] = {
	{ "root", "/", 0 },
	{ "scratch", "/tmp 16M", 0 },
	{ "proc", "yes", 0 },
	{ "devices", "null zero full random urandom", 0 },
	{ "network", "none", 0 },
	{ "no_new_privs", "yes", 0 },
	{ "capabilities", "none", 0 },
	{ "syscalls", "default", 0 },
	{ "umask", "077", 0 },
	{ "nice", "10", 0 },
	{ "passenv", "", 0 },
	{ "stderr", "null", 0 },
	{ "rlimit_core", "0", 0 },
	{ "rlimit_fsize", "16M", 0 },
	{ "rlimit_files", "256", 0 },
	{ "rlimit_memlock", "64K", 0 },
	{ "memory", "256M", 0 },
	{ "processes", "64", 0 },
	{ "cpu", "50", 0 },
	{ "processes_at_exit", "kill", 0 },
	{ "max_runtime", "600", 0 },
	{ "kill_timeout", "2", 0 },
	{ "lingering_close", "yes", PRESET_FOR_CONNECTIONS },
	{ "kill_on_disconnect", "reset", PRESET_FOR_CONNECTIONS },
	{ "instances", "50", PRESET_UNLESS_IN_DEFAULTS },
	{ "per_source", "10", PRESET_UNLESS_IN_DEFAULTS },
	{ NULL, NULL, 0 },
};

static const struct {
	const char *name;
	const struct preset_line *lines;
} presets[] = {
	{ "jail", jail },
};

const struct preset_line *preset_lines(const char *name)
{
	for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
		if (strcasecmp(presets[i].name, name) == 0)
			return presets[i].lines;
	return NULL;
}

static const struct assignment *line_of(const struct entry *entry, const char *attribute)
{
	return entry_lines(entry, ATTRIBUTE(attribute));
}

static bool has_word(const struct entry *entry, const char *attribute, const char *text)
{
	const struct assignment *line = line_of(entry, attribute);

	for (size_t i = 0; line && i < line->count; i++)
		if (strcasecmp(line->words[i]->text, text) == 0)
			return true;
	return false;
}

/* True where the attribute has that value, or none. */
static bool may_be(const struct entry *entry, const char *attribute, const char *text)
{
	return !line_of(entry, attribute) || has_word(entry, attribute, text);
}

/* The check refuses a preset of other services, once and not for each line. */
static bool has_own_program(const struct entry *entry)
{
	return line_of(entry, "server") && !line_of(entry, "redirect") &&
	       !has_word(entry, "type", "INTERNAL") && !has_word(entry, "flags", "SENSOR");
}

static bool has_connections(const struct entry *entry)
{
	return may_be(entry, "wait", "no") && may_be(entry, "socket_type", "stream") &&
	       may_be(entry, "protocol", "tcp");
}

static bool applies(const struct preset_line *line, const struct entry *entry,
		    const struct word_list *defaults)
{
	if ((line->when & PRESET_FOR_CONNECTIONS) && !has_connections(entry))
		return false;
	return !(line->when & PRESET_UNLESS_IN_DEFAULTS) ||
	       !defaults[ATTRIBUTE(line->attribute)].is_set;
}

/* --- lines of an entry ------------------------------------------------------------------ */

/* In the entry's arena, as if it stood in the line of the preset. NULL when memory runs out. */
static const struct word *word_new(struct entry *entry, const struct assignment *preset,
				   const char *text, size_t length)
{
	struct word *word = arena_take(&entry->words, sizeof *word + length + 1);

	if (!word)
		return NULL;
	word->file = preset->file;
	word->line = preset->line;
	memcpy(word->text, text, length);
	word->text[length] = '\0';
	return word;
}

static struct assignment *assignment_new(struct entry *entry, const struct assignment *preset,
					 const char *values)
{
	struct assignment *line =
		arena_take(&entry->words, sizeof *line + PRESET_WORDS_MAX * sizeof line->words[0]);

	if (!line)
		return NULL;
	line->sign = ASSIGN_SET;
	line->file = preset->file;
	line->line = preset->line;
	while (*values && line->count < PRESET_WORDS_MAX) {
		size_t length = strcspn(values, " ");

		line->words[line->count] = word_new(entry, preset, values, length);
		if (!line->words[line->count++])
			return NULL;
		values += length + strspn(values + length, " ");
	}
	return line;
}

/* The line comes before those of the entry that add to it or remove from it. */
static bool line_apply(const struct preset_line *line, struct entry *entry,
		       const struct assignment *preset)
{
	size_t attribute = ATTRIBUTE(line->attribute);
	const struct assignment *first = entry_lines(entry, attribute);
	struct assignment *new;

	if (first && first->sign == ASSIGN_SET)
		return true;
	new = assignment_new(entry, preset, line->values);
	return new &&entry_put_first(entry, attribute, new);
}

bool preset_apply(struct entry *entry, const struct word_list *defaults, struct problems *problems)
{
	const struct assignment *preset = line_of(entry, "preset");
	const struct preset_line *line = preset ? preset_lines(preset->words[0]->text) : NULL;

	if (!line || !has_own_program(entry))
		return true;
	for (; line->attribute; line++)
		if (applies(line, entry, defaults) && !line_apply(line, entry, preset)) {
			problem_add(problems, ERROR, entry->file, entry->line, "out of memory");
			return false;
		}
	return true;
}
