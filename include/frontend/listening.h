/* The listeners of a service, from the addresses and names of its settings. Names are
 * looked up in the background, and again when they could not be found. */
#ifndef USHERD_FRONTEND_LISTENING_H
#define USHERD_FRONTEND_LISTENING_H

#include "frontend/service.h"

/* Opens the listeners of the service's settings, with its own sockets, sockets that other
 * services have offered, or new ones; its other sockets are closed. While names in bind
 * are looked up all of its sockets stay. */
void listening_update(struct service *service);

/* The listener on endpoint; with is_inner that of an INTERCEPT server's own socket,
 * wherever it is. NULL when there is none. */
struct listener *listening_find(const struct service *service, const struct endpoint *endpoint,
				bool is_inner);

/* The service has other settings: its listeners get them. */
void listening_use_settings(struct service *service);

/* The service's settings have moved in memory: running lookups use the names there. */
void listening_move(struct service *service, const struct service_settings *old);

/* Closes the listeners for good. */
void listening_close(struct service *service);

/* Cancels the lookups of names in bind. */
void listening_cancel_lookups(struct service *service);

/* INTERCEPT of datagrams: looks up the names in the lists of the service; known addresses
 * of equal names are kept. */
void listening_look_up_filter_hosts(struct service *service);

/* INTERCEPT of datagrams: updates the kernel's filters for the current lists. */
void listening_update_filters(struct service *service);

/* True while a name in bind is being looked up, or, for the first time, a name for a
 * filter of datagrams. */
bool listening_is_looking_up(const struct service *service);

#endif
