/* The readers of the attributes that take privileges from a session. */
#include "config/capability_names.h"
#include "config/check_privileges.h"
#include "config/reading.h"
#include "config/syscall_names.h"

#include <string.h>
#include <strings.h>

void read_no_new_privs(struct reading *reading, void *field)
{
	static const struct name_value answers[] = {
		{ "yes", NO_NEW_PRIVS_YES },
		{ "no", NO_NEW_PRIVS_NO },
		{ 0 },
	};
	int answer;

	if (read_name(reading, reading->words[0], answers, &answer))
		*(enum no_new_privs *)field = (enum no_new_privs)answer;
}

/* --- capabilities ------------------------------------------------------------------------- */

static void refuse_capability(struct reading *reading, const struct word *word)
{
	const char *nearest = capability_nearest(word->text);

	if (nearest)
		reading_refuse(reading, word, "there is no capability \"%s\"; did you mean \"%s\"?",
			       word->text, nearest);
	else
		reading_refuse(reading, word,
			       "there is no capability \"%s\"; see capabilities(7), or write none",
			       word->text);
}

void read_capabilities(struct reading *reading, void *field)
{
	uint64_t *set = field;

	reading->service->program->capabilities_is_set = true;
	if (reading->count == 1 && strcasecmp(first_word(reading), "none") == 0)
		return;
	for (size_t i = 0; i < reading->count; i++) {
		const struct word *word = reading->words[i];
		int number = capability_number(word->text);

		if (number >= 0)
			*set |= UINT64_C(1) << number;
		else if (strcasecmp(word->text, "none") == 0)
			reading_refuse(reading, word, "none stands alone");
		else
			refuse_capability(reading, word);
	}
}

/* --- system calls ------------------------------------------------------------------------- */

static void refuse_syscall(struct reading *reading, const struct word *word)
{
	const char *text = word->text, *nearest;

	if (*text != '+' && *text != '-') {
		reading_refuse(reading, word,
			       "\"%s\" is not of the form +NAME or -NAME (default +NAME -NAME, or "
			       "all alone)",
			       text);
		return;
	}
	nearest = syscall_nearest(text + 1);
	if (nearest)
		reading_refuse(reading, word,
			       "there is no system call or group \"%s\"; did you mean \"%c%s\"?",
			       text + 1, *text, nearest);
	else
		reading_refuse(reading, word,
			       "there is no system call or group \"%s\" that this libseccomp knows",
			       text + 1);
}

/* Without these no program can be started, and none can end. */
static void require_calls(struct reading *reading, const struct syscall_set *set)
{
	static const char *const names[] = { "execve", "exit", "exit_group" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!syscall_set_find(set, names[i])) {
			reading_refuse(reading, NULL,
				       "no program can run without execve, exit and exit_group: "
				       "add +%s at the end",
				       names[i]);
			return;
		}
}

static void read_call_list(struct reading *reading)
{
	struct syscall_set set = { .count = 0 };

	syscall_set_apply(&set, "default");
	for (size_t i = 1; i < reading->count; i++)
		if (reading->words[i]->text[0] == 'd' ||
		    !syscall_set_apply(&set, reading->words[i]->text))
			refuse_syscall(reading, reading->words[i]);
	if (!reading->refused)
		require_calls(reading, &set);
}

void read_syscalls(struct reading *reading, void *field)
{
	const char *first = first_word(reading);

	strings_fill(reading, field);
	if (strcmp(first, "default") == 0)
		read_call_list(reading);
	else if (strcmp(first, "all") != 0)
		reading_refuse(reading, NULL,
			       "\"%s\" is not a beginning; write default, default +NAME -NAME, "
			       "or all",
			       first);
	else if (reading->count > 1)
		reading_refuse(reading, reading->words[1],
			       "all stands alone; to refuse calls write default and what is "
			       "needed besides");
}

/* --- files -------------------------------------------------------------------------------- */

void read_file_rules(struct reading *reading, void *field)
{
	for (size_t i = 0; i < reading->count; i++)
		if (file_rule_path(reading->words[i]->text)[0] != '/')
			reading_refuse(reading, reading->words[i],
				       "\"%s\" is not an absolute path, nor one after \"-\", which "
				       "may be missing",
				       reading->words[i]->text);
	if (reading->count > FILE_PATHS_MAX)
		reading_refuse(reading, NULL,
			       "there are more than %d paths; name the directories above them",
			       FILE_PATHS_MAX);
	strings_fill(reading, field);
}
