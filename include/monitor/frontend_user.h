/* Whom the frontend runs as: somebody who is nobody else. */
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

/* Chooses, once and for all: whom daemon asks for, otherwise a number that no account
 * and no service of generation has. Not being root, the frontend stays who the monitor
 * is, which is logged if daemon asks for somebody else. 0, or -1, logged: no number is
 * free. */
int frontend_user_init(const struct daemon_settings *daemon, const struct generation *generation)
	__attribute__((warn_unused_result));

/* False: it stays who the monitor is, or nobody is chosen yet, and *user is zero. */
bool frontend_user_choose(struct process_user *user);

#endif
