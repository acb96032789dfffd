/* Wait servers that end at once and leave unread what they were started for: each
 * is started later than the one before, so that a program that cannot work does not
 * take the machine. */
#ifndef USHERD_SERVER_WAIT_DELAY_H
#define USHERD_SERVER_WAIT_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WAIT_QUICK_MS = 5000, /* a server that lasts longer is none of those */
	WAIT_DELAY_FIRST_MS = 100,
	WAIT_DELAY_MOST_MS = 10000,
};

/* Embedded in the socket's owner; all zero at first. */
struct wait_delay {
	uint64_t front; /* what was to be read when the server was started */
	unsigned idle;  /* servers in a row that read nothing */
};

/* A server is about to get socket. */
void wait_delay_begin(struct wait_delay *delay, int socket);

/* It ended after so many milliseconds. Returns how many the next one must wait;
 * 0 also for the first that read nothing. */
uint64_t wait_delay_end(struct wait_delay *delay, int socket, uint64_t lasted);

#endif
