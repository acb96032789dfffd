/* Signals as events of the loop. No code runs in a handler. */
#ifndef USHERD_MONITOR_SIGNALS_H
#define USHERD_MONITOR_SIGNALS_H

#include <stdbool.h>

/* Gives every signal its default action, except SIGPIPE, which is ignored, and blocks all
 * signals except those of faults and job control. To be called before any thread
 * starts. */
void signals_block(void);

/* Waits for them in the loop. in_foreground: SIGINT ends the daemon. Returns 0,
 * or -1 with errno. */
int signals_watch(bool in_foreground) __attribute__((warn_unused_result));

#endif
