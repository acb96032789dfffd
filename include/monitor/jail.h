/* The jails of services: what their sessions see of the machine. Services whose attributes are
 * equal share one. Loop thread only, except where it says any thread.
 *
 * A jail is made when a generation is read: its template of mounts is built, and a child tries
 * what each session will do. So a service whose jail this kernel or container does not allow is
 * not started. Every reload makes templates anew. */
#ifndef USHERD_MONITOR_JAIL_H
#define USHERD_MONITOR_JAIL_H

#include "config/settings.h"
#include "monitor/jail_plan.h"

#include <stdbool.h>

struct jail;

/* Before the services of a generation are prepared, which has these attributes of the daemon. */
void jails_begin(const struct daemon_settings *daemon);

/* Makes the service's jail; waits for a child, see jail_trial.h. NULL: it works,
 * or the service has none. Otherwise the attribute that can't be had, with the reason and a
 * remedy until the next call; an older jail that is equal stays. */
const char *jail_prepare(const struct service_settings *service, const char **reason);

/* The service is in the generation, maybe in its running version: its jail stays. */
void jail_keep(const struct service_settings *service);

/* The generation is in force: the jails that it does not have are dropped. */
void jails_adopted(void);

/* A reference to the service's jail; NULL: there is none. */
struct jail *jail_of(const struct service_settings *service);
void jail_release(struct jail *jail);

/* Any thread, as long as the caller has a reference. */
const struct jail_plan *jail_plan(const struct jail *jail);

/* The descriptor of its template, the jail's own; -1: sessions make all mounts themselves. Any
 * thread. */
int jail_template(const struct jail *jail);

/* True when no session can leave anything in its network namespace, so that another one may get
 * it: nothing in the session can have rights over it, as its user is not root and no program in
 * it gains rights, and all processes are gone with the first. Any thread. */
bool jail_shares_networks(const struct jail *jail);

#endif
