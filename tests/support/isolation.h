/* Namespaces of the tests' own: two runs at a time don't meet at a port, and what
 * tests change is nobody else's. */
#ifndef USHERD_TESTS_ISOLATION_H
#define USHERD_TESTS_ISOLATION_H

#include <stdbool.h>

/* Gives this process a network, with the loopback alone, and mounts of its own;
 * flags are further ones for unshare. Returns 0, or -1 with errno. */
int isolation_unshare(int flags);

/* Whether enter returns 0, which is tried in another process: it can't be taken back. */
bool isolation_is_allowed(int (*enter)(void));

/* For a whole run: the network, a /dev where nobody else has the socket of
 * syslogd, and an empty /run. Does nothing for who is not root or where the kernel forbids it;
 * tests then share the machine with whoever is there. */
void isolation_enter(void);

#endif
