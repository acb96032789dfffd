/* Opens banner files for the frontend, each with the rights of its service's user.
 * Loop thread only. */
#ifndef USHERD_MONITOR_BANNERS_H
#define USHERD_MONITOR_BANNERS_H

#include "channel/message.h"
#include "config/settings.h"

/* Pending requests; more fail with ENOMEM. The frontend asks for each banner of a service only
 * once in a while. */
enum { BANNERS_MAX = 16384 };

/* Opens the requested banner on a worker, and sends the frontend its descriptor, or the
 * error, with the same ticket. */
void banners_open(const struct service_settings *settings, const struct banner_message *asked);

/* Drops the answers to all pending requests: the frontend is gone. */
void banners_forget_all(void);

#endif
