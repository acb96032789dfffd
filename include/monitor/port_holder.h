/* Which process has a port that can't be bound, from the kernel's tables of sockets (proc(5):
 * /proc/net/tcp and its like) and the descriptors of processes. Processes of other users can be
 * looked at only by root. */
#ifndef USHERD_MONITOR_PORT_HOLDER_H
#define USHERD_MONITOR_PORT_HOLDER_H

#include "base/address.h"

#include <stddef.h>

enum {
	HOLDER_TEXT_SIZE = 96,
	/* A search looks at no more than this, ... */
	HOLDER_SOCKETS_MAX = 65536,
	/* ... and all searches in so long a time take no more processor time than this together. */
	HOLDER_WINDOW_MS = 10000,
	HOLDER_SEARCH_MS = 500,
};

/* Writes who has a socket of that type (SOCK_STREAM, SOCK_DGRAM) that is in the way of address:
 * "nginx (pid 1234)", or "a process of user 33" if it can't be looked at. The name is escaped for a
 * log line. "" when that is not found. Returns text. */
const char *port_holder_find(int type, const struct address *address,
			     char text[static HOLDER_TEXT_SIZE]);

#endif
