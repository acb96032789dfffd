/* The user that the frontend runs as, which nothing else uses. */
#ifndef USHERD_MONITOR_FRONTEND_USER_H
#define USHERD_MONITOR_FRONTEND_USER_H

#include "config/generation.h"

#include <stdbool.h>
#include <sys/types.h>

/* The account that the frontend runs as when there is one. */
#define FRONTEND_ACCOUNT "_usherd"

/* Otherwise a number without an account from this range, which is systemd's for dynamic
 * users. */
enum { FRONTEND_UID_FIRST = 61184, FRONTEND_UID_LAST = 65519 };

struct process_user {
	uid_t uid;
	gid_t gid;
};

/* Chooses once: FRONTEND_ACCOUNT if there is one, otherwise a number that no account and
 * no service of generation has. Without root's rights the frontend runs as the monitor's
 * user. 0, or -1, logged: the account is root, or a service runs as it. */
int frontend_user_init(const struct generation *generation)
	__attribute__((warn_unused_result));

/* False: it runs as the monitor's user, and *user is zero. */
bool frontend_user_choose(struct process_user *user);

#endif
