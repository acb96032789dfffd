/* Checks of a service for what would let others act with root's rights: a program of root's that
 * they can change, a program that could end the frontend, a log in a file of the daemon. Internal
 * to config. */
#ifndef USHERD_CONFIG_CHECK_ROOT_H
#define USHERD_CONFIG_CHECK_ROOT_H

#include "config/settings.h"
#include "config/trust.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* For all services of a load. */
struct root_check {
	struct trust *trust;
	const struct daemon_settings *daemon;
	uid_t frontend; /* the user of the running frontend; 0: there is none */
	/* The last program of root's that was checked, and its fault; empty at first. */
	char judged[PATH_MAX];
	char judgement[TRUST_TEXT_SIZE];
};

/* False, reported to the problems of trust: the service must not be started. */
bool check_root(struct root_check *check, const struct service_settings *service);

#endif
