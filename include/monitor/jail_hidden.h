/* Directories that jails hide when the daemon does not run as root. Programs then run as the
 * daemon's own user, and that user may connect to the control socket, D-Bus and systemd. Through
 * these sockets a program could end sessions, or start other programs outside its jail. So jails
 * hide the directories of the sockets. Loop thread only. */
#ifndef USHERD_MONITOR_JAIL_HIDDEN_H
#define USHERD_MONITOR_JAIL_HIDDEN_H

#include "base/arena.h"
#include "config/settings.h"
#include "monitor/jail_plan.h"

/* Finds the directories. To be called before the jails of a generation are planned. A directory
 * that does not exist is noted too, because it may be made later. */
void jail_hidden_find(const struct daemon_settings *daemon);

/* Notes in the plan the directories that are in its root, as paths in that root without symbolic
 * links. When memory runs out, arena->failed is set. */
void jail_hidden_plan(struct jail_plan *plan, struct arena *arena);

/* The hidden directory that contains this path in the root; NULL: none. */
const char *jail_hidden_around(const struct jail_plan *plan, const char *path);

/* A hidden directory that a program could move, by renaming a directory above it: then it would
 * not be hidden from the next session. NULL: there is none. */
const char *jail_hidden_movable(const struct jail_plan *plan);

#endif
