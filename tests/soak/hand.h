/* Whoever looks after the daemon while the clients come: a process that reloads, pauses, asks, ends
 * sessions and moves logs away, again and again, and checks each time that it was done. */
#ifndef USHERD_TESTS_SOAK_HAND_H
#define USHERD_TESTS_SOAK_HAND_H

#include <stdbool.h>
#include <sys/types.h>

/* Adds to the configuration what the hand changes. Before daemon_start. */
void hand_configure(void);

/* Starts the hand, which does one thing for each `pace` clients. */
void hand_start(unsigned pace);

/* Tells the hand how many clients have gone, for its pace. False when it has failed, and the test
 * with it. */
bool hand_goes_on(unsigned gone);

/* Lets it finish its round, after which the configuration is as at first, and waits for its end.
 * Returns how many things it has done. */
unsigned hand_stop(void);

#endif
