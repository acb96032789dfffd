/* The daemon's end. Loop thread only. */
#ifndef USHERD_MONITOR_ENDING_H
#define USHERD_MONITOR_ENDING_H

#include "monitor/children.h"

#include <stdbool.h>

/* SIGTERM: ends every session and every program, and kills them after a grace time; a
 * second call kills at once. */
void ending_begin(void);

/* SIGQUIT: ends the daemon; the programs go on. */
void ending_leaving_programs(void);

/* As ending_begin, with exit status 1. */
void ending_fail(void);

bool ending_has_begun(void);

/* True when programs must end, also those that have just started. */
bool ending_ends_programs(void);

/* Ends a program because the daemon ends, which waits for as long as the program's
 * kill_timeout says. */
void ending_end(struct child *child);

/* The exit status. */
int ending_status(void);

/* To be called when processes were reaped. */
void ending_process_gone(void);

#endif
