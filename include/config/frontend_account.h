/* The user that the frontend runs as. No program of a service may run as the same user: it
 * could end the frontend. Internal to config, except the constants. */
#ifndef USHERD_CONFIG_FRONTEND_ACCOUNT_H
#define USHERD_CONFIG_FRONTEND_ACCOUNT_H

#include "config/settings.h"

#include <stdbool.h>
#include <sys/types.h>

/* The account that is used if it exists and the daemon entry has no `user`. */
#define FRONTEND_ACCOUNT "_usherd"

/* Otherwise the user is a number of this range without an account; systemd's for dynamic
 * users. */
enum { FRONTEND_UID_FIRST = 61184, FRONTEND_UID_LAST = 65519 };

struct account;
struct accounts;
struct reading;

/* Takes account, which the words name, for the frontend. Refuses the words if others use that
 * user or group too: root, nobody. */
void frontend_account_take(struct reading *reading, const struct account *account);

/* Takes FRONTEND_ACCOUNT if no user was named. As root, reports an error if that account can't
 * be used. */
void frontend_account_settle(struct daemon_settings *daemon, struct accounts *accounts,
			     struct problems *problems);

/* True when daemon asks for another user than `running`, which the frontend has now. */
bool frontend_account_differs(const struct daemon_settings *daemon, uid_t running);

enum { FRONTEND_FAULT_SIZE = 512 };

/* True when the service's program would run as the user that daemon asks for, or as `running`,
 * the frontend's user now (0: no frontend runs yet). fault then says so. */
bool frontend_account_is_of(const struct service_settings *service,
			    const struct daemon_settings *daemon, uid_t running,
			    char fault[static FRONTEND_FAULT_SIZE]);

#endif
