/* The user that the frontend runs as. Nothing else runs as this user. */
#ifndef USHERD_MONITOR_FRONTEND_USER_H
#define USHERD_MONITOR_FRONTEND_USER_H

#include "config/frontend_account.h"
#include "config/generation.h"

#include <stdbool.h>
#include <sys/types.h>

struct process_user {
	uid_t uid;
	gid_t gid;
};

/* Chooses once: the user that daemon names, otherwise a number that no account and no
 * service of generation has. Without root's rights the frontend runs as the monitor's
 * user, and a warning is logged if daemon names another one. 0, or -1, logged: no number
 * is free. */
int frontend_user_init(const struct daemon_settings *daemon, const struct generation *generation)
	__attribute__((warn_unused_result));

/* False, and *user is zero: it runs as the monitor's user, or none is chosen yet. */
bool frontend_user_choose(struct process_user *user);

#endif
