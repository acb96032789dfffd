/* The sockets that a service manager has opened for the daemon, see sd_listen_fds(3), or that it
 * has kept for it since an earlier run. */
#ifndef USHERD_MONITOR_INHERITED_SOCKETS_H
#define USHERD_MONITOR_INHERITED_SOCKETS_H

/* Where they are kept: above the descriptors that are reserved for starting programs. */
enum { INHERITED_FIRST = 128 };

/* In the new process, before any other descriptor is opened or moved: moves them to
 * INHERITED_FIRST and the numbers after it. Takes LISTEN_FDS and its like out of the environment,
 * so that no program gets them. Returns how many there are. */
int inherited_sockets_take(void);

/* How many there were. */
int inherited_sockets_count(void);

/* Gives them to the binder, for the services that will ask for these addresses. What can't be
 * used is closed, and logged. Loop thread only. */
void inherited_sockets_give(void);

#endif
