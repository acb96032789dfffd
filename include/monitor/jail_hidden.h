/* Directories with sockets by which a program of the daemon's own user could have others started,
 * or sessions ended: that of the control socket, and those of D-Bus and systemd. Where the daemon
 * runs without root, its programs have its user, and jails hide these. Loop thread only. */
#ifndef USHERD_MONITOR_JAIL_HIDDEN_H
#define USHERD_MONITOR_JAIL_HIDDEN_H

#include "base/arena.h"
#include "config/settings.h"
#include "monitor/jail_plan.h"

/* Looks for them, before the jails of a generation are planned. One that is not there may come
 * later, and is noted too. */
void jail_hidden_find(const struct daemon_settings *daemon);

/* Notes in the plan those that are in its root, as paths in it, without a link. With
 * arena->failed memory was short. */
void jail_hidden_plan(struct jail_plan *plan, struct arena *arena);

/* The hidden directory that a path in the root is in; NULL: none. */
const char *jail_hidden_around(const struct jail_plan *plan, const char *path);

/* A hidden directory above which a program could rename a directory, so that the next session
 * would see it under another name; NULL: none. */
const char *jail_hidden_movable(const struct jail_plan *plan);

#endif
