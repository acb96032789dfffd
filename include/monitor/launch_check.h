/* Which programs the frontend may start, and on which descriptors. */
#ifndef USHERD_MONITOR_LAUNCH_CHECK_H
#define USHERD_MONITOR_LAUNCH_CHECK_H

#include "channel/message.h"
#include "config/settings.h"

/* Why no correct frontend would ask for this launch with these descriptors: the reason to
 * distrust it. NULL: nothing is wrong. */
const char *launch_fault(const struct launch_message *launch, const int descriptors[],
			 unsigned count);

/* Why the launch does not fit the settings; NULL: it does. That is no reason for distrust: a
 * reload may have changed the service after the client was admitted. */
const char *launch_mismatch(const struct launch_message *launch, const int descriptors[],
			    const struct service_settings *settings);

#endif
