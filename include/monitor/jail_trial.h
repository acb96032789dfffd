/* Children that try what the sessions of a jail will do. */
#ifndef USHERD_MONITOR_JAIL_TRIAL_H
#define USHERD_MONITOR_JAIL_TRIAL_H

#include "monitor/jail_plan.h"

enum { TRIAL_DEADLINE_MS = 10000 }; /* for each of these children */

/* Makes the mounts that are the same for all sessions. Returns a descriptor of their namespace,
 * which the caller owns, or -1 with report. */
int jail_trial_template(const struct jail_plan *plan, struct jail_report *report)
	__attribute__((warn_unused_result));

/* Makes what a session gets, with that template or without one (-1). 0, or -1 with report. */
int jail_trial(const struct jail_plan *plan, int template, struct jail_report *report)
	__attribute__((warn_unused_result));

/* Why it failed and what to do about it; valid until the next call. */
const char *jail_trial_reason(const struct jail_plan *plan, const struct jail_report *report);

#endif
