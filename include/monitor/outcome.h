/* What the last load of the configuration came to: for whoever asked for it, and for the status.
 * Loop thread only. */
#ifndef USHERD_MONITOR_OUTCOME_H
#define USHERD_MONITOR_OUTCOME_H

#include "channel/message.h"
#include "config/problem.h"

/* How long the text may be; then it says how many lines are missing. */
enum { OUTCOME_TEXT_MAX = 64 * 1024 };

/* A load begins. */
void outcome_begin(void);

/* Something is wrong: "FILE:LINE: error: TEXT". */
void outcome_add_problem(const struct problem *problem);

/* "WHAT: ID", such as "removed: ftp". */
void outcome_add_change(const char *what, const char *id);

/* The numbers, which the caller fills in, but for the time and the errors. */
struct reload_message *outcome_numbers(void);

/* The text in a memfd, the caller's. -1 with errno; also when nothing was loaded yet. */
int outcome_open(void);

#endif
