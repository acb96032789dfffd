#include "import/readers.h"
#include "import/rules.h"
#include "import/words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char prefix[] = "JAIL_", env_prefix[] = "JAIL_ENV_";

static bool begins_with(struct span text, const char *start)
{
	return span_length(text) >= strlen(start) &&
	       strncasecmp(text.start, start, strlen(start)) == 0;
}

/* --- the variables ------------------------------------------------------------------------- */

static bool convert_conns(struct draft *draft, const struct rule *rule, struct span value)
{
	return convert_limit(draft, rule, value);
}

/* In all of these variables 0 means no limit. */
static bool convert_memory(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!span_is(value, "0"))
		return convert_size(draft, rule, value);
	draft_set(draft, rule->attribute, "UNLIMITED");
	return true;
}

static bool convert_proof(struct draft *draft, const struct rule *rule, struct span value)
{
	draft_unset(draft, rule->attribute);
	return span_is(value, "0") || convert_number(draft, rule, value);
}

static bool convert_tmp_size(struct draft *draft, const struct rule *rule, struct span value)
{
	char text[SIZE_TEXT];
	uint64_t bytes;

	if (!value_size(value, &bytes))
		return false;
	draft_set(draft, rule->attribute, bytes > 0 ? "/tmp" : "none");
	if (bytes > 0)
		draft_add(draft, rule->attribute, size_text(text, bytes));
	return true;
}

/* NAME,NAME ...: what is allowed beyond the list. */
static bool convert_syscalls(struct draft *draft, const struct rule *rule, struct span value)
{
	char word[64];

	draft_set(draft, rule->attribute, "default");
	while (!span_is_empty(value)) {
		struct span name = span_trim(span_take_until(&value, ","));
		int length =
			snprintf(word, sizeof word, "+%.*s", (int)span_length(name), name.start);

		if (length >= (int)sizeof word)
			return false;
		if (length > 1)
			draft_add(draft, rule->attribute, (struct span){ word, word + length });
	}
	return true;
}

static bool convert_read_only(struct draft *draft, const struct rule *rule, struct span value)
{
	bool truth;

	(void)draft;
	(void)rule;
	return value_truth(value, &truth) && truth;
}

static const struct rule rules[] = {
	{ "JAIL_TIME", "max_runtime", convert_time, NULL, NULL },
	{ "JAIL_CONNS", "instances", convert_conns, NULL, NULL },
	{ "JAIL_CONNS_PER_IP", "per_source", convert_conns, NULL, NULL },
	{ "JAIL_PIDS", "processes", convert_limit, NULL, NULL },
	{ "JAIL_MEM", "memory", convert_memory, NULL, NULL },
	{ "JAIL_CPU", "cpu", convert_milliseconds, NULL, NULL },
	{ "JAIL_POW", "proof_of_work", convert_proof, NULL, NULL },
	{ "JAIL_PORT", "port", convert_number, NULL, NULL },
	{ "JAIL_DEV", "devices", convert_commas, NULL, NULL },
	{ "JAIL_SYSCALLS", "syscalls", convert_syscalls, NULL, NULL },
	{ "JAIL_TMP_SIZE", "scratch", convert_tmp_size, NULL, NULL },
	{ "JAIL_READ_ONLY", "root", convert_read_only, NULL, NULL },
	RULES_END,
};

static void note_content(struct import *import)
{
	static const char root[] = "/srv";

	import->line = 0;
	import_note(import, (struct span){ root, root + strlen(root) },
		    "the root is the image's /srv; it needs the directories dev, proc and tmp");
}

/* What the image does without any variable. */
static const struct {
	const char *attribute, *words;
} defaults[] = {
	{ "preset", "jail" },
	{ "user", "1000" },
	{ "root", "/srv" },
	{ "server", "/app/run" },
	{ "directory", "/app" },
	{ "port", "5000" },
	{ "max_runtime", "20" },
	{ "instances", "UNLIMITED" },
	{ "per_source", "UNLIMITED" },
	{ "processes", "5" },
	{ "memory", "5M" },
	{ "cpu", "10" },
	{ "scratch", "none" },
	{ "devices", "null zero urandom" },
	{ "stderr", "socket" },
};

/* --- the file ------------------------------------------------------------------------------ */

/* NAME=VALUE */
static void take_assignment(struct draft *draft, struct span word)
{
	struct span value = word, name = span_take_until(&value, "=");

	if (begins_with(name, env_prefix))
		draft_add(draft, "env", (struct span){ word.start + strlen(env_prefix), word.end });
	else if (begins_with(name, prefix))
		rules_apply(rules, draft, name, value);
}

/* The words of a line: NAME=VALUE ... after ENV or export, or alone; or ENV NAME VALUE. */
static void take_words(struct draft *draft, const struct words *words)
{
	bool is_old_form =
		words->count > 2 && span_is(words_get(words, 0), "ENV") &&
		begins_with(words_get(words, 1), prefix) &&
		!memchr(words_get(words, 1).start, '=', span_length(words_get(words, 1)));

	if (is_old_form) {
		struct span name = words_get(words, 1), value = words_get(words, words->count - 1);

		if (words->count == 3 && !begins_with(name, env_prefix))
			rules_apply(rules, draft, name, value);
		else
			import_note(draft->import, name, "write it as ENV NAME=VALUE");
		return;
	}
	for (size_t i = 0; i < words->count; i++)
		if (memchr(words_get(words, i).start, '=', span_length(words_get(words, i))))
			take_assignment(draft, words_get(words, i));
}

static void take_line(struct draft *draft, struct span line)
{
	struct words words;

	if (span_is_idle(line) || !memmem(line.start, span_length(line), prefix, strlen(prefix)))
		return;
	if (!words_split(&words, line, WORDS_SHELL))
		import_note(draft->import, line, "there are too many words in the line");
	take_words(draft, &words);
	words_free(&words);
}

/* Other programs have variables with that beginning, too. */
static bool is_variable(struct span word)
{
	struct span name = span_take_until(&word, "=");

	return begins_with(name, env_prefix) || rule_find(rules, name);
}

/* True for FROM with the image as it is published, and for lines that set its variables. */
static bool line_is_jail(struct span line)
{
	struct span word = span_take_word(&line), rest = line, next = span_take_word(&rest);
	bool is_env = span_is(word, "ENV") || span_is(word, "export") || span_is(word, "-");

	if (span_is(word, "FROM"))
		return begins_with(next, "pwn.red/jail") || begins_with(next, "redpwn/jail");
	return is_variable(is_env ? next : word);
}

bool jail_is_used(const struct import_file *file)
{
	struct lines lines;
	struct span line;

	lines_begin(&lines, file->text, file->length);
	while (lines_next(&lines, &line))
		if (line_is_jail(line))
			return true;
	return false;
}

static void note_hook(struct import *import, const struct import_file *file)
{
	static const char hook[] = "hook.sh";

	import->line = 0;
	if (memmem(file->text, file->length, hook, strlen(hook)))
		import_note(import, (struct span){ hook, hook + strlen(hook) },
			    "nothing is run before the first session");
}

void jail_read(struct import *import, const struct import_file *file)
{
	struct long_lines lines;
	struct draft draft;
	struct span line;

	if (long_lines_begin(&lines, file->text, file->length) < 0) {
		import_complain(import, "out of memory");
		return;
	}
	draft_begin(&draft, import, import_service_name(file));
	draft_set_stream(&draft);
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		draft_set(&draft, defaults[i].attribute, defaults[i].words);
	while (long_lines_next(&lines, &line)) {
		import->line = lines.number;
		take_line(&draft, line);
	}
	long_lines_end(&lines);
	note_hook(import, file);
	note_content(import);
	draft_write(&draft);
	draft_clear(&draft);
}
