/* Signals as events of the loop. No code runs in a handler. */
#ifndef USHERD_SERVER_SIGNALS_H
#define USHERD_SERVER_SIGNALS_H

#include <stdbool.h>

/* Blocks every signal that is waited for, and gives all others, however they
 * were inherited, their default effect, except that SIGPIPE is ignored. To be
 * called before any thread starts. */
void signals_block(void);

/* Waits for them in the loop. in_foreground: SIGINT ends the daemon. Returns 0,
 * or -1 with errno. */
int signals_watch(bool in_foreground) __attribute__((warn_unused_result));

#endif
