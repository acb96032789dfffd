/* The capabilities of a session, see capabilities(7): nothing but those that its settings name
 * is left, and no program of the session can get others. */
#ifndef USHERD_MONITOR_CAPABILITIES_H
#define USHERD_MONITOR_CAPABILITIES_H

#include "config/settings.h"

#include <stdbool.h>

/* The reason why this kernel, or the daemon's own rights, can't give the service what it asks
 * for, with the remedy; NULL: they can. */
const char *capabilities_obstacle(const struct service_settings *service);

/* --- in a child; 0, or -1 with errno ------------------------------------------------------- */

/* Before the change of user: the daemon's capabilities last until capabilities_take. */
int capabilities_hold(void);

/* After it. A user other than root has the capabilities as ambient ones, so that programs keep
 * them. Root's programs get by execve(2) what is in the bounding set. */
int capabilities_take(const struct service_settings *service);

#endif
