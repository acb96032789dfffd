/* Whom the frontend is to run as, and that no program of a service runs as the same
 * user, who could end the frontend. Internal to config, but for the names. */
#ifndef USHERD_CONFIG_FRONTEND_ACCOUNT_H
#define USHERD_CONFIG_FRONTEND_ACCOUNT_H

#include "config/settings.h"

#include <stdbool.h>
#include <sys/types.h>

/* The account when `user` of daemon names no other, and there is this one. */
#define FRONTEND_ACCOUNT "_usherd"

/* The numbers without an account from which one is taken otherwise; systemd's for
 * dynamic users. */
enum { FRONTEND_UID_FIRST = 61184, FRONTEND_UID_LAST = 65519 };

struct account;
struct accounts;
struct reading;

/* Takes account, which the words name, for the frontend; refuses the words when others
 * act as that user or group: root, nobody. */
void frontend_account_take(struct reading *reading, const struct account *account);

/* Where no user was named, FRONTEND_ACCOUNT is taken. Reports an error, to root, when
 * that one will not do. */
void frontend_account_settle(struct daemon_settings *daemon, struct accounts *accounts,
			     struct problems *problems);

/* True when daemon asks for another frontend than the one that runs as running. */
bool frontend_account_differs(const struct daemon_settings *daemon, uid_t running);

enum { FRONTEND_FAULT_SIZE = 512 };

/* True when the service's program would run as whom daemon asks for, or as running, who
 * is 0 when no frontend runs yet; fault then says so. */
bool frontend_account_is_of(const struct service_settings *service,
			    const struct daemon_settings *daemon, uid_t running,
			    char fault[static FRONTEND_FAULT_SIZE]);

#endif
