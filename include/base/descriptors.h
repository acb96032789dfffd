/* The daemon's descriptors: how many there are, and who may have them. A few are
 * kept for what must always be possible; sockets that listen and log files come
 * next; the rest are for connections, in shares. What opens one for a moment
 * asks nobody. Loop thread only. */
#ifndef USHERD_BASE_DESCRIPTORS_H
#define USHERD_BASE_DESCRIPTORS_H

#include "base/shares.h"

#include <stdbool.h>

/* Raises the limit as far as it goes, for a connection is a descriptor. */
void descriptors_raise_limit(void);

/* Keeps the reserve, and counts from here on; to be called when everything is open
 * that the daemon itself has open all the time. Until then there is no limit.
 * Returns 0, or -1 with errno. */
int descriptors_init(void) __attribute__((warn_unused_result));

unsigned descriptors_limit(void);

/* A descriptor that is to stay open, for a socket that listens or a log file. False,
 * with errno EMFILE, when too few would be left for connections. */
bool descriptors_spend(void) __attribute__((warn_unused_result));
void descriptors_regain(void);

/* How many descriptors descriptors_spend has refused since the last call. */
unsigned descriptors_refused(void);

/* For connections: total and held. */
struct shares *descriptors_shares(void);

/* The reserve's descriptors are free from the first to the second of these: for
 * the status report, a reload, new log files, or refusing one connection. */
void descriptors_open_reserve(void);
void descriptors_close_reserve(void);

#endif
