/* Signals as events of the loop. No code runs in a handler. */
#ifndef USHERD_MONITOR_SIGNALS_H
#define USHERD_MONITOR_SIGNALS_H

#include <stdbool.h>

/* Gives every signal its default effect, however it was inherited, but for
 * SIGPIPE, which is ignored, and blocks all that signals_watch waits for and all
 * others that would end the daemon without being the sign of a fault in it. To be
 * called before any thread starts. */
void signals_block(void);

/* Waits for them in the loop. in_foreground: SIGINT ends the daemon. Returns 0,
 * or -1 with errno. */
int signals_watch(bool in_foreground) __attribute__((warn_unused_result));

#endif
