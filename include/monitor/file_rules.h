/* allow_read, allow_write and allow_execute: what a session may do with files, by landlock(7).
 * It needs neither root nor namespaces. */
#ifndef USHERD_MONITOR_FILE_RULES_H
#define USHERD_MONITOR_FILE_RULES_H

#include "config/settings.h"

#include <stdbool.h>

/* The version of the kernel's Landlock, from 1; otherwise 0, and *reason with the remedy. Asks
 * the kernel each time. */
int file_rules_version(const char **reason);

/* True when that version can't forbid to truncate files: FILTER_FILES has to. */
bool file_rules_lack_truncation(int version);

/* In a child: from now on its files are restricted. It opens the paths itself, so that they are
 * those that its user finds in its root. Needs no_new_privs. 0, or -1 with errno. */
int file_rules_enter(const struct service_settings *service);

#endif
