/* Checks of the attributes that say what a session sees of the machine. Internal to config. */
#ifndef USHERD_CONFIG_CHECK_JAIL_H
#define USHERD_CONFIG_CHECK_JAIL_H

#include "config/problem.h"
#include "config/settings.h"

#include <stdbool.h>

/* Reports attributes that have no place in this service, and directories that are not in its
 * root or that a link leads to. False when there is such an error. */
bool check_jail(const struct service_settings *service, struct problems *problems);

/* Fills in service->program->jail. */
void derive_jail(struct service_settings *service);

#endif
