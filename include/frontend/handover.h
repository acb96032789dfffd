/* The sockets of the services that a reload changes or removes. They are put here
 * first; whatever service wants the same address, port, type and protocol takes
 * them from here, with those who queue there; the rest is closed in the end. */
#ifndef USHERD_FRONTEND_HANDOVER_H
#define USHERD_FRONTEND_HANDOVER_H

#include "frontend/service.h"

/* True from handover_begin to handover_end: new sockets have to wait, as those that
 * will be closed may be in their way. */
void handover_begin(void);
bool handover_is_under_way(void);

/* Takes the open listeners of service, which is about to have other settings, or to
 * be removed for settings NULL. Not those that can't be handed over: of INTERCEPT
 * and of RPC. */
void handover_offer(struct service *service, const struct service_settings *settings);

/* Gives service the listener on endpoint that was offered. NULL when there is none. */
struct listener *handover_take(struct service *service, const struct endpoint *endpoint);

/* Closes what nobody has taken; but a service that has yet to look up its addresses
 * gets its own back. */
void handover_end(void);

#endif
