/* For functions that run in a child which shares the daemon's memory, between clone and
 * execve: only system calls, nothing that allocates, no lock. The sanitizers don't know that
 * this is another process. */
#ifndef USHERD_MONITOR_IN_CHILD_H
#define USHERD_MONITOR_IN_CHILD_H

#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

#endif
