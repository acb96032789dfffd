/* An /etc, and a network that knows nobody, for one test alone. */
#ifndef USHERD_TESTS_OWN_ETC_H
#define USHERD_TESTS_OWN_ETC_H

#include <stdbool.h>

/* Whether there can be such a thing here: not without namespaces, nor when all
 * tests share one process. */
bool own_etc_is_allowed(void);

/* Empties this process's /etc and leaves its network only a loopback. */
void own_etc_enter(void);

void own_etc_write(const char *name, const char *text);

/* Enters it, with what a daemon reads when it starts: names come from files, the users
 * are root and nobody, there are tcp and udp, and no names of ports. */
void own_etc_furnish(void);

#endif
