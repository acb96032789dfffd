/* The sockets of services that a reload changes or removes. They are offered here first;
 * a service that needs the same address, port, type and protocol takes them, with the
 * connections in their queues; the rest is closed in the end. */
#ifndef USHERD_FRONTEND_HANDOVER_H
#define USHERD_FRONTEND_HANDOVER_H

#include "frontend/service.h"

/* True from handover_begin to handover_end: new sockets are opened only after it, because
 * sockets that will be closed may still have their addresses. */
void handover_begin(void);
bool handover_is_under_way(void);

/* Offers the open listeners of service, which is about to get these settings, or to be
 * removed for settings NULL. Sockets of INTERCEPT and RPC can't be handed over. */
void handover_offer(struct service *service, const struct service_settings *settings);

/* Gives service the listener on endpoint that was offered. NULL when there is none. */
struct listener *handover_take(struct service *service, const struct endpoint *endpoint);

/* Closes the sockets that no service has taken; but a service whose addresses are still
 * being looked up gets its own back. */
void handover_end(void);

#endif
