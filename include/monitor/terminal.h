/* The terminals of programs (pty): pairs of pseudo-terminals of 80 columns and 24 lines. No
 * path in /dev/pts is opened: devpts may be mounted with other names in it, or hidden. Any
 * thread. */
#ifndef USHERD_MONITOR_TERMINAL_H
#define USHERD_MONITOR_TERMINAL_H

#include "config/settings.h"

#include <sys/types.h>

/* Both close-on-exec; -1: closed, or there is none. */
struct terminal {
	int slave;  /* the program's end */
	int master; /* the frontend's end, non-blocking; closing it hangs up */
};

#define NO_TERMINAL ((struct terminal){ -1, -1 })

/* Makes a terminal that only owner can open; (uid_t)-1: the daemon's user. 0, or -1 with errno and
 * *terminal without descriptors: ENOSPC if as many are in use as kernel.pty.max allows. */
int terminal_open(struct terminal *terminal, enum pty_kind kind, uid_t owner)
	__attribute__((warn_unused_result));

/* Closes the program's end; both. Preserves errno. */
void terminal_close_slave(struct terminal *terminal);
void terminal_close(struct terminal *terminal);

/* NULL when terminals can be made here. Otherwise what is missing, with the remedy, in static
 * memory. That all are in use is no reason: it will pass. */
const char *terminal_obstacle(void);

#endif
