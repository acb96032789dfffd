/* watch = yes: notices that files of the configuration have changed, see inotify(7). Loop
 * thread only. */
#ifndef USHERD_MONITOR_CONFIG_WATCH_H
#define USHERD_MONITOR_CONFIG_WATCH_H

#include "config/settings.h"

enum {
	CONFIG_SETTLED_MS = 500,    /* `changed` is called when nothing has changed for so long, */
	CONFIG_CHANGING_MS = 10000, /* and at the latest so long after the first change */
};

/* The sources are about to be read. */
void config_watch_reading(void);

/* Watches the sources of these settings if they want it, and no others. changed is called when
 * one of them, or a file that was added to one, has changed and has settled. What has
 * changed since config_watch_reading is noticed, too. Errors are logged. */
void config_watch_update(const struct settings *settings, void (*changed)(void));

#endif
