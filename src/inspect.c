#include "inspect.h"

#include <stdio.h>
#include <stdlib.h>

static void print_text(const struct problem *problem)
{
	if (problem->file && problem->line)
		printf("%s:%d: ", problem->file, problem->line);
	else if (problem->file)
		printf("%s: ", problem->file);
	printf("%s: %s\n", severity_name(problem->severity), problem->text);
}

static void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c > '~')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_json(const struct problem *problem, bool is_first)
{
	printf("%s\n  {\"severity\": \"%s\", \"file\": ", is_first ? "" : ",",
	       severity_name(problem->severity));
	if (problem->file)
		print_json_string(problem->file);
	else
		fputs("null", stdout);
	printf(", \"line\": %d, \"text\": ", problem->line);
	print_json_string(problem->text);
	putchar('}');
}

static void print_problems(const struct problems *problems, bool as_json)
{
	if (as_json)
		putchar('[');
	for (size_t i = 0; i < problems->count; i++) {
		if (as_json)
			print_json(&problems->list[i], i == 0);
		else
			print_text(&problems->list[i]);
	}
	if (as_json)
		puts(problems->count ? "\n]" : "]");
	else
		printf("%zu problems, %zu of them errors\n", problems->count + problems->omitted,
		       problems->errors);
}

int inspect_check(const struct load_options *options, bool as_json)
{
	struct problems problems = { 0 };
	struct settings *settings = settings_load(options, &problems);
	bool fine = settings && problems.errors == 0;

	print_problems(&problems, as_json);
	problems_clear(&problems);
	settings_free(settings);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
