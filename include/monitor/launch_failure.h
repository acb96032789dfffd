/* What it means that a program could not be started. */
#ifndef USHERD_MONITOR_LAUNCH_FAILURE_H
#define USHERD_MONITOR_LAUNCH_FAILURE_H

#include "channel/message.h"
#include "monitor/program_order.h"

#include <stdbool.h>

/* True when clone(2) failed with that errno as some limit is reached: it may work later. */
bool launch_failure_is_limit(int error);

/* True when a later attempt may start the program. */
bool launch_failure_is_passing(const struct program_order *order);

/* The reason, for the log; it lives until the next call. */
const char *launch_failure_reason(const struct program_order *order);

#endif
