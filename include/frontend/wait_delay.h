/* Wait servers that end soon without reading what they were started for: each start is
 * delayed more than the last one, so that a program that cannot work does not use up the
 * processor. A server that reads is never delayed, whatever its clients send. If other
 * connections to this host arrive in the meantime, it may not be known whether the server
 * accepted one; the delay then stays the same. */
#ifndef USHERD_FRONTEND_WAIT_DELAY_H
#define USHERD_FRONTEND_WAIT_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WAIT_QUICK_MS = 5000, /* a server that runs longer is not delayed */
	WAIT_DELAY_FIRST_MS = 100,
	WAIT_DELAY_MAX_MS = 10000,
};

/* Embedded in the socket's owner; all zero at first. */
struct wait_delay {
	uint64_t front; /* identifies what was to be read when the server was started */
	int64_t had;    /* connections of the host until then; -1: not known */
	unsigned idle;  /* servers in a row that read nothing */
	bool is_stream;
	bool is_first; /* the last delay was the first in a row */
};

/* A server is about to get socket. */
void wait_delay_begin(struct wait_delay *delay, int socket);

/* It ended after so many milliseconds. Returns how many the next one must wait;
 * 0 also for the first that read nothing. */
uint64_t wait_delay_end(struct wait_delay *delay, int socket, uint64_t lasted);

#endif
