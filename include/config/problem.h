/* Errors, warnings and advice about the configuration, collected while it is read, so
 * that one run reports all of them. The caller of the loader logs, prints or counts
 * them. */
#ifndef USHERD_CONFIG_PROBLEM_H
#define USHERD_CONFIG_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

enum severity {
	ADVICE,  /* works, but deserves a look */
	WARNING, /* works, but not as the line says */
	ERROR,   /* the entry (in defaults: the whole load) is not used */
};

struct problem {
	enum severity severity;
	char *file; /* NULL: none */
	int line;   /* 0: none */
	char *text; /* one sentence: what is wrong, what to write instead */
};

struct problems {
	struct problem *list;
	size_t count, capacity;
	size_t errors;  /* how many of severity ERROR, kept or not */
	size_t omitted; /* beyond PROBLEMS_KEPT, or because memory ran out */
};

enum { PROBLEMS_KEPT = 10000 };

/* Adds a copy of everything. Control bytes in the text become `?`, because it may quote
 * a file and be shown on a terminal. Preserves errno. */
void problem_add(struct problems *problems, enum severity severity, const char *file, int line,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Frees the list; the struct itself is the caller's, and empty again. */
void problems_clear(struct problems *problems);

/* "advice", "warning" or "error". */
const char *severity_name(enum severity severity);

#endif
