/* Opens banner files for the frontend, each with the rights of its service's user.
 * Loop thread only. */
#ifndef USHERD_MONITOR_BANNERS_H
#define USHERD_MONITOR_BANNERS_H

#include "channel/message.h"
#include "config/settings.h"

/* That are asked for at a time: beyond these none is opened. A frontend of ours asks for
 * each banner of a service once in a while. */
enum { BANNERS_MOST = 16384 };

/* Opens the one that is asked for on a worker, and sends the frontend its descriptor,
 * or why there is none, with the same ticket. */
void banners_open(struct service_settings *settings, const struct banner_message *asked);

/* Nobody waits for an answer any more. */
void banners_forget_all(void);

#endif
