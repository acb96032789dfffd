/* The daemon's end. Loop thread only. */
#ifndef USHERD_MONITOR_ENDING_H
#define USHERD_MONITOR_ENDING_H

#include <stdbool.h>

/* SIGTERM: ends every session and every program, and kills them after a grace time; a
 * second call kills at once. */
void ending_begin(void);

/* SIGQUIT: the programs go on. */
void ending_leaving_programs(void);

/* As ending_begin, with exit status 1. */
void ending_fail(void);

bool ending_has_begun(void);

/* True when programs are to end: so is one that has started only now. */
bool ending_ends_programs(void);

/* The exit status. */
int ending_status(void);

/* Processes were reaped, the frontend's or programs'. */
void ending_process_gone(void);

#endif
