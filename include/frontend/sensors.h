/* The addresses that touched a sensor: every service refuses them for some time. The
 * monitor keeps them too, for the next frontend. */
#ifndef USHERD_FRONTEND_SENSORS_H
#define USHERD_FRONTEND_SENSORS_H

#include "admission/sensor_list.h"
#include "config/settings.h"

/* Returns 0, or -1 with errno. */
int sensors_init(void) __attribute__((warn_unused_result));

/* peer touched a sensor with these settings: bans it for deny_time, if it bans at all,
 * and logs it. */
void sensors_touched(const struct service_settings *settings, const struct address *peer);

/* An earlier frontend banned the address until then. */
void sensors_know(const struct address *address, uint64_t until);

/* All of them. */
struct sensor_list *sensors_list(void);

/* Ends the ban of an address. False: it is not banned. */
bool sensors_forgive(const struct address *address);

#endif
