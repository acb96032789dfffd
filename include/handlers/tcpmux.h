/* tcpmux, RFC 1078: the client names the service it wants on the first line. */
#ifndef USHERD_HANDLERS_TCPMUX_H
#define USHERD_HANDLERS_TCPMUX_H

#include "session/session.h"

#include <stdbool.h>

enum {
	TCPMUX_LINE_MOST = 256,      /* without CR LF */
	TCPMUX_DEADLINE_MS = 30000,  /* for the whole line */
};

/* What the handler needs of whoever knows the services. */
struct tcpmux_callbacks {
	/* Takes session's connection (session_take_fd) and hands it on to the
	 * multiplexed service of that name (in any case), with every byte after the
	 * line still unread. The session itself stays the handler's, to be
	 * finished. False, and nothing done, when there is no such service. */
	bool (*transfer)(struct session *session, const char *name);

	/* Calls visit with the name of each multiplexed service, for `help`. */
	void (*each_name)(void (*visit)(const char *name, void *context), void *context);
};

void tcpmux_init(const struct tcpmux_callbacks *callbacks);

/* How the handler cut the line, for tests and fuzzing: the length of the line at
 * the front of bytes without its end, with *end set to where the rest begins;
 * -1 while there is no end of line yet. The end is CR LF; a bare LF is taken as
 * well. */
int tcpmux_line_length(const char *bytes, size_t length, size_t *end);

#endif
