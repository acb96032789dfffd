/* Opens banner files for the frontend, each with the rights of its service's user.
 * Loop thread only. */
#ifndef USHERD_MONITOR_BANNERS_H
#define USHERD_MONITOR_BANNERS_H

#include "channel/message.h"
#include "config/settings.h"

/* Requests at a time: more are not answered. The frontend asks for each banner of a service
 * once in a while. */
enum { BANNERS_MAX = 16384 };

/* Opens the requested banner on a worker, and sends the frontend its descriptor, or the
 * error, with the same ticket. */
void banners_open(struct service_settings *settings, const struct banner_message *asked);

/* Sends no answers to requests so far: the frontend is gone. */
void banners_forget_all(void);

#endif
