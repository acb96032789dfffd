/* How a service begins, takes other settings, and ends. */
#ifndef USHERD_FRONTEND_LIFECYCLE_H
#define USHERD_FRONTEND_LIFECYCLE_H

#include "frontend/service.h"

/* Starts a service: opens its log and its sockets. number: in the generation. Returns
 * NULL, logged, when it has no log or memory runs out. Takes its own reference to
 * settings. */
struct service *service_start(struct service_settings *settings, uint32_t number);

/* Gives service the same settings at another place, under that number. */
void service_move(struct service *service, struct service_settings *settings, uint32_t number);

/* Gives service other settings, under that number. It uses its own sockets and those that
 * were offered (frontend/handover.h); missing ones are opened after the handover. False,
 * logged, when the new log can't be opened: the service then goes on as it was. */
bool service_adopt(struct service *service, struct service_settings *settings, uint32_t number);

/* Closes the listeners and ends, or lets run on, the sessions. The service is
 * freed when the last session is gone. */
void service_remove(struct service *service);

/* Closes the listeners and frees the service. For the daemon's end, when its sessions have
 * ended. */
void service_free(struct service *service);

/* Closes the sockets for good, requested ones too; sessions go on. For the daemon's end. */
void service_stop_listening(struct service *service);

#endif
