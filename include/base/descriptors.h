/* The daemon's descriptors: how many there are, and who may have them. A few are
 * reserved for what must always be possible; listening sockets and log files come
 * next; the rest are for connections, in shares. A descriptor that is open only for a
 * moment is not counted. Loop thread only. */
#ifndef USHERD_BASE_DESCRIPTORS_H
#define USHERD_BASE_DESCRIPTORS_H

#include "base/shares.h"

#include <stdbool.h>

/* Raises the soft limit to the hard limit. */
void descriptors_raise_limit(void);

/* Opens the reserve, and counts from here on. To be called when the descriptors that
 * the daemon itself always needs are open. Until then there is no limit.
 * Returns 0, or -1 with errno. */
int descriptors_init(void) __attribute__((warn_unused_result));

unsigned descriptors_limit(void);

/* Counts a descriptor that stays open, for a listening socket or a log file. False,
 * with errno EMFILE, when too few would be left for connections. */
bool descriptors_spend(void) __attribute__((warn_unused_result));
void descriptors_regain(void);

/* How many are counted like this now. */
unsigned descriptors_spent(void);

/* How many descriptors descriptors_spend has refused since the last call. */
unsigned descriptors_refused(void);

/* For connections: total and held. */
struct shares *descriptors_shares(void);

/* Between these two calls the reserved descriptors are free: for the status report, a
 * reload, new log files, or refusing one connection. */
void descriptors_open_reserve(void);
void descriptors_close_reserve(void);

/* Closes a descriptor that somebody else has or had, and does not wait. close(2) waits for
 * the peer of a socket if this was its last descriptor and somebody set SO_LINGER. The second
 * one is for descriptors that dup3(2) will close. Any thread. */
void descriptor_close(int fd);
void descriptor_forbid_waiting(int fd);

#endif
