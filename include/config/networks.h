/* The names of /etc/networks, read once per load: a list may have 100,000 names that each
 * could be one of them. Internal to config. */
#ifndef USHERD_CONFIG_NETWORKS_H
#define USHERD_CONFIG_NETWORKS_H

#include "base/address.h"

#include <stdbool.h>

/* The network of that name, in any case; false when there is none. */
bool network_named(const char *name, struct prefix *prefix);

/* The next call reads the file again. */
void networks_forget(void);

#endif
