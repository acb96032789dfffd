/* The frontend's end. */
#ifndef USHERD_FRONTEND_STOP_H
#define USHERD_FRONTEND_STOP_H

/* Closes the listeners, ends every session, and stops the loop when the last program has
 * ended. A second call stops the loop at once. */
void stop_begin(void);

/* Stops the loop, and leaves the programs running. */
void stop_leaving_programs(void);

#endif
