/* A descriptor that the loop waits on. loop.h has the functions for it. */
#ifndef USHERD_BASE_WATCH_H
#define USHERD_BASE_WATCH_H

#include <poll.h>

enum {
	LOOP_READ = POLLIN,
	LOOP_WRITE = POLLOUT,
	LOOP_PEER_DONE = POLLRDHUP, /* the peer of a stream has finished sending */
};

struct watch;

/* events: those that are waited for, POLLHUP and POLLERR, whichever are true. */
typedef void watch_callback(struct watch *watch, short events);

/* Embedded in its owner, which keeps it until it is stopped. The fields belong to the loop;
 * the owner may read fd. */
struct watch {
	int fd;
	short events; /* wanted */
	watch_callback *callback;
	int slot;  /* the poller's; -1 while stopped */
	int ready; /* place among this turn's events, or -1 */
};

#endif
