/* What the frontend may have started, and on what. */
#ifndef USHERD_MONITOR_LAUNCH_CHECK_H
#define USHERD_MONITOR_LAUNCH_CHECK_H

#include "channel/message.h"
#include "config/settings.h"

/* What no frontend of ours would ask for, with these descriptors: why it is not to be
 * trusted any more; NULL: nothing is wrong. */
const char *launch_fault(const struct launch_message *launch, const int descriptors[],
			 unsigned count);

/* Why the program of settings is not started in the way that the frontend wants; NULL:
 * it can be. It is nobody's fault: a reload has changed the service, and who was on the
 * way was let in by what held before. */
const char *launch_mismatch(const struct launch_message *launch, const int descriptors[],
			    const struct service_settings *settings);

#endif
