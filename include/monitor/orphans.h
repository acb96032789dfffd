/* Processes that programs leave behind when they end. They become the daemon's own
 * children, so that their process ids are not used again before the daemon reaps them.
 * Loop thread only. */
#ifndef USHERD_MONITOR_ORPHANS_H
#define USHERD_MONITOR_ORPHANS_H

#include <sys/types.h>

/* So many process groups are remembered; then the oldest are forgotten. */
enum { ORPHAN_GROUPS_MAX = 4096 };

/* Makes orphans of programs children of the daemon (PR_SET_CHILD_SUBREAPER). */
void orphans_adopt(void);

/* Remembers the process group of a leader that was just reaped, if it still has processes. */
void orphans_note(pid_t leader);

/* Sends the signal to every child of the daemon that is in one of those groups, now
 * and whenever orphans_left is called. */
void orphans_end(int number);

/* How many of them there are, new ones included. */
unsigned orphans_left(void);

#endif
