/* tcpmux, RFC 1078: the client names the service it wants on the first line. */
#ifndef USHERD_HANDLERS_TCPMUX_H
#define USHERD_HANDLERS_TCPMUX_H

#include "session/session.h"

#include <stdbool.h>

enum {
	TCPMUX_LINE_MAX = 256,      /* without CR LF */
	TCPMUX_DEADLINE_MS = 30000, /* for the whole line */
};

/* What the handler needs from the module that knows the services. */
struct tcpmux_callbacks {
	/* Takes session's connection (session_take_fd) and passes it to the multiplexed
	 * service of that name (in any case), with all data after the line unread. The
	 * session stays the handler's, which must finish it. False, and nothing done, when
	 * there is no such service. */
	bool (*transfer)(struct session *session, const char *name);

	/* Calls visit with the name of each multiplexed service, for `help`. */
	void (*each_name)(void (*visit)(const char *name, void *context), void *context);
};

void tcpmux_init(const struct tcpmux_callbacks *callbacks);

/* Finds the line at the front of bytes, for tests and fuzzing too: its length without
 * the end of line, with *end set to where the rest begins; -1: no end of line yet. The
 * end is CR LF or LF. */
int tcpmux_line_length(const char *bytes, size_t length, size_t *end);

#endif
