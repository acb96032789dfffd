/* The configuration that the option -serve stands for. */
#ifndef USHERD_CONFIG_SERVE_H
#define USHERD_CONFIG_SERVE_H

#include <stddef.h>

struct serve {
	const char *port;
	const char *const
		*attributes; /* count of them, each NAME=VALUE, NAME+=VALUE or NAME-=VALUE */
	size_t count;
	const char *const *program; /* and its arguments, NULL-ended; the first is NULL: none */
};

/* What problems call it in place of a file. */
#define SERVE_NAME "the command line"

/* The text of a service entry, to be freed. The attributes stand first, one on a line, from line
 * 2 on; then what they leave open. A program without a slash is looked for in PATH, and
 * another relative one in directory, which is absolute. NULL, with a message on standard
 * error, when there is no such program, a word can't stand in an entry, or memory runs out. */
char *serve_text(const struct serve *serve, const char *directory);

#endif
