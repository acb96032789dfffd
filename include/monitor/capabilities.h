/* The capabilities of a session, see capabilities(7): nothing but those that its settings name
 * is left, and no program of the session can get others. */
#ifndef USHERD_MONITOR_CAPABILITIES_H
#define USHERD_MONITOR_CAPABILITIES_H

#include "config/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* The reason why this kernel, or the daemon's own rights, can't give the service what it asks
 * for, with the remedy; NULL: they can. */
const char *capabilities_obstacle(const struct service_settings *service);

/* True when its programs have none, and a thread that starts them may drop the bounding set for
 * all of them. Any thread. */
bool capabilities_can_be_bounded(const struct service_settings *service);

/* Of the calling thread, and what it starts: only what is left stays. 0, or -1 with errno. */
int capabilities_drop_bounding_set(uint64_t left);

/* --- in a child; 0, or -1 with errno ------------------------------------------------------- */

/* Before the change of user: the daemon's capabilities last until capabilities_take. */
int capabilities_hold(void);

/* After it. A user other than root has the capabilities as ambient ones, so that programs keep
 * them. Root's programs get by execve(2) what is in the bounding set. is_bounded: that is empty
 * already. */
int capabilities_take(const struct service_settings *service, bool is_bounded);

#endif
