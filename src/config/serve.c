#include "config/serve.h"

#include "base/text.h"
#include "config/word_list.h"

#include <ctype.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- the program --------------------------------------------------------------------------- */

static bool can_be_run(char path[PATH_MAX], const char *directory, size_t length, const char *name)
{
	int written = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, directory, name);

	return written < PATH_MAX && access(path, X_OK) == 0;
}

static bool find_in_path(char path[PATH_MAX], const char *name)
{
	const char *directory = getenv("PATH");

	while (directory) {
		size_t length = strcspn(directory, ":");

		if (*directory == '/' && can_be_run(path, directory, length, name))
			return true;
		directory = directory[length] ? directory + length + 1 : NULL;
	}
	return false;
}

/* Writes the absolute path of the program. False, with a message, when there is none. */
static bool find_program(char path[PATH_MAX], const char *name, const char *directory)
{
	bool is_found;

	if (name[0] == '/')
		is_found = snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
	else if (strchr(name, '/'))
		is_found = snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX;
	else
		is_found = find_in_path(path, name);
	if (!is_found)
		fprintf(stderr, "usherd: -serve: there is no program %s in PATH\n", name);
	return is_found;
}

/* --- the entry ------------------------------------------------------------------------------ */

/* The operator of NAME=VALUE, NAME+=VALUE or NAME-=VALUE; NULL: it has another form. */
static const char *operator_of(const char *attribute)
{
	const char *equals = strchr(attribute, '=');

	if (!equals || equals == attribute)
		return NULL;
	return equals[-1] == '+' || equals[-1] == '-' ? equals - 1 : equals;
}

static bool is_given(const struct serve *serve, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < serve->count; i++)
		if ((size_t)(operator_of(serve->attributes[i]) - serve->attributes[i]) == length &&
		    strncasecmp(serve->attributes[i], name, length) == 0)
			return true;
	return false;
}

static void add_attribute(struct text *text, const char *attribute)
{
	const char *operator= operator_of(attribute);

	text_add_char(text, '\t');
	text_add_bytes(text, attribute, (size_t)(operator- attribute));
	text_add_char(text, ' ');
	text_add(text, operator);
	text_add_char(text, '\n');
}

static void add_default(struct text *text, const struct serve *serve, const char *name,
			const char *value)
{
	if (!is_given(serve, name))
		text_add_format(text, "\t%s = %s\n", name, value);
}

/* The user who has started the daemon, as a name or a number. */
static void add_user(struct text *text, const struct serve *serve)
{
	const struct passwd *user = getpwuid(geteuid());
	char number[16];

	if (geteuid() == 0 && *serve->program && !is_given(serve, "user"))
		fputs("usherd: -serve: the program runs as root; user=NAME chooses another user\n",
		      stderr);
	snprintf(number, sizeof number, "%u", (unsigned)geteuid());
	add_default(text, serve, "user", user ? user->pw_name : number);
}

static void add_words(struct text *text, const struct serve *serve, const char *name,
		      const char *const *words)
{
	if (!*words || is_given(serve, name))
		return;
	text_add_format(text, "\t%s =", name);
	for (; *words; words++)
		word_print(*words, text);
	text_add_char(text, '\n');
}

static bool add_program(struct text *text, const struct serve *serve, const char *directory)
{
	char path[PATH_MAX];
	const char *const words[] = { path, NULL };

	if (!*serve->program)
		return true;
	if (!find_program(path, *serve->program, directory))
		return false;
	add_words(text, serve, "server", words);
	add_words(text, serve, "server_args", serve->program + 1);
	return true;
}

static const struct {
	const char *name, *value;
} defaults[] = {
	{ "type", "UNLISTED" },
	{ "socket_type", "stream" },
	{ "wait", "no" },
	{ "cps", "0 0" },
	{ "lingering_close", "yes" },
	{ "log_on_success", "PID HOST EXIT DURATION" },
	{ "log_on_failure", "HOST" },
};

/* The name in the log: that of the program, if it can stand in a header. */
static const char *service_name(const struct serve *serve)
{
	const char *name = *serve->program ? *serve->program : "";
	const char *slash = strrchr(name, '/');
	size_t length = 0;

	name = slash ? slash + 1 : name;
	while (isalnum((unsigned char)name[length]) ||
	       (name[length] && strchr("_-.", name[length])))
		length++;
	return length > 0 && !name[length] ? name : "serve";
}

static void write_entry(struct text *text, const struct serve *serve)
{
	text_add_format(text, "service %s {\n", service_name(serve));
	for (size_t i = 0; i < serve->count; i++)
		add_attribute(text, serve->attributes[i]);
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		add_default(text, serve, defaults[i].name, defaults[i].value);
	if (*serve->program)
		add_default(text, serve, "stderr", "log");
	add_default(text, serve, "port", serve->port);
	add_user(text, serve);
}

/* True, with a message, when the arguments can't be written as lines of an entry. */
static bool is_malformed(const struct serve *serve)
{
	for (size_t i = 0; i < serve->count; i++)
		if (!operator_of(serve->attributes[i]) || strpbrk(serve->attributes[i], "\r\n")) {
			fprintf(stderr,
				"usherd: -serve: \"%s\" is not NAME=VALUE; the program stands "
				"after --\n",
				serve->attributes[i]);
			return true;
		}
	for (const char *const *word = serve->program; *word; word++)
		if (strpbrk(*word, "\r\n")) {
			fputs("usherd: -serve: an argument of the program has a line break\n",
			      stderr);
			return true;
		}
	return false;
}

char *serve_text(const struct serve *serve, const char *directory)
{
	struct text text = { 0 };
	char *result = NULL;

	if (is_malformed(serve))
		return NULL;
	write_entry(&text, serve);
	if (add_program(&text, serve, directory)) {
		text_add(&text, "}\n");
		result = text_copy_out(&text);
		if (!result)
			fputs("usherd: out of memory\n", stderr);
	}
	text_free(&text);
	return result;
}
