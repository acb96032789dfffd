/* The time of the loop and its timers. It is read once at the beginning of each turn, so that
 * all callbacks of a turn see the same time. Loop thread only, except clock_read. */
#ifndef USHERD_BASE_CLOCK_H
#define USHERD_BASE_CLOCK_H

#include <stdint.h>

/* For the loop: reads both clocks. */
void clock_update(void);

/* Milliseconds of CLOCK_MONOTONIC, as read when this turn began. */
uint64_t clock_now(void);

/* The same clock, read now. Any thread may call it. */
uint64_t clock_read(void);

/* Seconds since the epoch, as read when this turn began. */
int64_t clock_wall(void);

#endif
