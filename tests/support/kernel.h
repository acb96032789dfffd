/* What not every kernel has, so that tests expect what this one does. */
#ifndef USHERD_TESTS_KERNEL_H
#define USHERD_TESTS_KERNEL_H

#include <stdbool.h>

/* Whether the IPv6 socket of an IPv4 client can be changed to an IPv4 socket (IPV6_ADDRFORM). */
bool kernel_changes_family(void);

/* Whether this process may make cgroups of version 2 in its own, as root. */
bool kernel_has_cgroups(void);

#endif
