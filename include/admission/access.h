/* Whether a peer may use a service at all, by its address and names, the time of the day
 * and the load of the machine. Nothing here waits or looks a name up. */
#ifndef USHERD_ADMISSION_ACCESS_H
#define USHERD_ADMISSION_ACCESS_H

#include "admission/sensor_list.h"
#include "admission/verdict.h"
#include "config/settings.h"

#include <time.h>

/* Decides by the bans, only_from and no_access. bans may be NULL. names as in
 * access_decide: NULL while they are not known; the judgement can then have needs_names.
 * An unknown peer matches no rule. now: clock_now(). */
struct judgement access_address(const struct service_settings *settings, struct sensor_list *bans,
				const struct address *peer, const char *const *names, uint64_t now);

/* The minute of the day, in local time. */
int access_minute(time_t now);

/* access_times, at this minute of the day: ADMITTED or REFUSED_TIME. */
enum verdict access_time(const struct service_settings *settings, int minute);

/* max_load, against the load average of the last minute: ADMITTED or REFUSED_LOAD. */
enum verdict access_load(const struct service_settings *settings);

#endif
