/* Where a service listens: from the addresses and names of its settings to its
 * listeners. Names are looked up meanwhile, and again when they could not be found. */
#ifndef USHERD_FRONTEND_LISTENING_H
#define USHERD_FRONTEND_LISTENING_H

#include "frontend/service.h"

/* Has the service listen where its settings say, on sockets that it has, that another
 * gives up, or that are new; the others are closed. While names in bind are looked up
 * all of its sockets stay. */
void listening_update(struct service *service);

/* The service has the same settings as before, at another place: what is looked up goes
 * by the names there. */
void listening_move(struct service *service, const struct service_settings *old);

/* Closes the listeners for good. */
void listening_close(struct service *service);

/* No name in bind is looked up any more. */
void listening_cancel_lookups(struct service *service);

/* INTERCEPT of datagrams: looks up the names in the lists of the service, which keeps
 * what it knew of them. */
void listening_look_up_filter_hosts(struct service *service);

/* INTERCEPT of datagrams: the kernel goes by the lists that there are now. */
void listening_update_filters(struct service *service);

/* True while some name in bind has no addresses yet. */
bool listening_awaits_names(const struct service *service);

/* True while a name in bind is being looked up, or for the first time one by which
 * datagrams are intercepted. */
bool listening_is_looking_up(const struct service *service);

#endif
