/* The daemon's end. */
#ifndef USHERD_SERVER_SHUTDOWN_H
#define USHERD_SERVER_SHUTDOWN_H

#include <stdbool.h>

/* Closes the listeners, has every session end, and stops the loop when the last
 * program is gone. Called again, it kills what is left and stops the loop. */
void shutdown_begin(void);

/* Stops the loop and leaves the programs running. */
void shutdown_leaving_servers(void);

/* True from then on. */
bool shutdown_has_begun(void);

#endif
