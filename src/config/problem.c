#include "config/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const severity_names[] = {
	[ADVICE] = "advice",
	[WARNING] = "warning",
	[ERROR] = "error",
};

const char *severity_name(enum severity severity)
{
	return severity_names[severity];
}

/* A new problem at the end of the list, or NULL when there is no room. */
static struct problem *list_extend(struct problems *problems)
{
	if (problems->count == PROBLEMS_KEPT)
		return NULL;
	if (problems->count == problems->capacity) {
		size_t capacity = problems->capacity ? problems->capacity * 2 : 8;
		struct problem *list = reallocarray(problems->list, capacity, sizeof *list);

		if (!list)
			return NULL;
		problems->list = list;
		problems->capacity = capacity;
	}
	return &problems->list[problems->count];
}

/* Replaces control bytes: text from files is shown on terminals. */
static void disarm(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

__attribute__((format(printf, 3, 0))) static int problem_fill(struct problem *problem,
							      const char *file, const char *format,
							      va_list values)
{
	problem->file = NULL;
	if (file && !(problem->file = strdup(file)))
		return -1;
	if (vasprintf(&problem->text, format, values) < 0) {
		free(problem->file);
		return -1;
	}
	disarm(problem->text);
	return 0;
}

void problem_add(struct problems *problems, enum severity severity, const char *file, int line,
		 const char *format, ...)
{
	int saved_errno = errno;
	struct problem *problem = list_extend(problems);
	va_list values;

	va_start(values, format);
	if (problem && problem_fill(problem, file, format, values) == 0) {
		problem->severity = severity;
		problem->line = line;
		problems->count++;
	} else {
		problems->omitted++;
	}
	va_end(values);
	if (severity == ERROR)
		problems->errors++;
	errno = saved_errno;
}

void problems_clear(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].file);
		free(problems->list[i].text);
	}
	free(problems->list);
	*problems = (struct problems){ 0 };
}
