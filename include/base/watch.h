/* A descriptor that the loop waits on. loop.h has the functions for it. */
#ifndef USHERD_BASE_WATCH_H
#define USHERD_BASE_WATCH_H

#include <poll.h>

enum { LOOP_READ = POLLIN, LOOP_WRITE = POLLOUT };

struct watch;

/* events: LOOP_READ, LOOP_WRITE, POLLHUP or POLLERR, whichever are true. */
typedef void watch_callback(struct watch *watch, short events);

/* Embedded in its owner, which keeps it until it is stopped. The fields belong to the loop;
 * the owner may read fd. */
struct watch {
	int fd;
	short events; /* wanted; 0 while stopped */
	watch_callback *callback;
	int slot;  /* the poller's; -1 while stopped */
	int ready; /* place among this turn's events, or -1 */
};

#endif
