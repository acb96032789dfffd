/* Which programs the frontend may start, and on which descriptors. */
#ifndef USHERD_MONITOR_LAUNCH_CHECK_H
#define USHERD_MONITOR_LAUNCH_CHECK_H

#include "channel/message.h"
#include "config/settings.h"

/* Why no correct frontend would ask for this launch with these descriptors: the reason to
 * distrust it. NULL: nothing is wrong, and *local is the connection's own address, if there is
 * a connection among them. */
const char *launch_fault(const struct launch_message *launch, const int descriptors[],
			 unsigned count, struct address *local);

/* The same about what a launch says of its balancer. */
const char *proxied_fault(const struct launch_message *launch, const struct proxied *proxied);

/* Why the launch does not fit the settings; NULL: it does. That is no reason for distrust: a
 * reload may have changed the service after the client was admitted. proxied: the launch says
 * that the client came through a balancer. */
const char *launch_mismatch(const struct launch_message *launch, bool proxied,
			    const int descriptors[], const struct service_settings *settings);

#endif
