/* Network namespaces without anything in them, not even a loopback that is up. Making one takes
 * the kernel longer than all the rest of a launch, so a few are used again, each by one session
 * at a time, and only while no socket is in it: one that a session has left to somebody outside
 * would be a way from it to the next. */
#ifndef USHERD_MONITOR_NETWORK_POOL_H
#define USHERD_MONITOR_NETWORK_POOL_H

/* Before sessions need it. Reserves descriptors the first time; without them the pool stays
 * empty. Loop thread. */
void network_pool_open(void);

/* The number of a namespace that no other session has; -1: the session makes its own. May wait
 * until the kernel has made one. Threads that start programs. */
int network_pool_take(void);

/* Its descriptor, the pool's own. Who has taken it, any thread. */
int network_pool_descriptor(int number);

/* The last process that was in it has ended. Any thread. */
void network_pool_give_back(int number);

/* A process may still be in it: it is not used again. Any thread. */
void network_pool_drop(int number);

#endif
