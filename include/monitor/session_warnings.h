/* What the daemon's log says of a session that did not go well. Loop thread only. */
#ifndef USHERD_MONITOR_SESSION_WARNINGS_H
#define USHERD_MONITOR_SESSION_WARNINGS_H

#include "monitor/children.h"

/* The kernel killed processes of the session because its memory was used up. */
void session_warn_of_memory(const struct child *child);

/* The session was killed and has not ended: says what keeps its program from ending. */
void session_warn_of_hold(const struct child *child);

#endif
