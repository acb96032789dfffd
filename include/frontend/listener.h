/* One listening socket of a service. It opens, or keeps trying to: a failure to
 * bind is tried again with growing delays for ever, never on another address. */
#ifndef USHERD_FRONTEND_LISTENER_H
#define USHERD_FRONTEND_LISTENER_H

#include "base/address.h"
#include "base/loop.h"
#include "base/timer.h"
#include "frontend/wait_delay.h"

#include <stdbool.h>
#include <sys/queue.h>

struct service;
struct session;

/* Where to listen. */
struct endpoint {
	struct address address;
	bool v6only;
};

struct listener {
	LIST_ENTRY(listener) link;
	struct service *service; /* NULL while it is offered to others */
	struct endpoint endpoint;
	struct watch watch;     /* watch.fd is -1 while the socket is not open */
	int type, protocol;     /* of the socket that is open or asked for */
	uint32_t ticket;        /* of the socket that was asked for; 0: none is */
	struct timer retry;
	unsigned attempts;      /* failed ones since it was last open */
	int error;              /* of the last of them */
	struct session *server; /* the wait server that has the socket now */
	struct wait_delay delay; /* of the next one */
	struct watch refused;   /* INTERCEPT: the socket for refused datagrams; fd -1 without */
	bool is_blocking;       /* the socket, for a wait server */
	bool is_inner;          /* INTERCEPT: the server's own socket, on the loopback interface */
	bool is_wanted;         /* for reload's mark and sweep */
};

/* A listener of service on endpoint, not open yet. NULL with errno ENOMEM. */
struct listener *listener_new(struct service *service, const struct endpoint *endpoint);

/* Closes and frees. */
void listener_free(struct listener *listener);

/* Asks for the socket, unless it is open or asked for. */
void listener_open(struct listener *listener);

/* The answers: the socket, polled from then on where the service wants connections,
 * and for INTERCEPT of datagrams the one for refused ones, otherwise -1; or why there
 * is none, which is logged once, and tried again later. */
void listener_bound(struct listener *listener, int fd, int refused);
void listener_not_bound(struct listener *listener, int error);

/* How many sockets are asked for and not answered. */
unsigned listeners_asked(void);

/* Closes the socket; nothing is tried again until listener_open. */
void listener_close(struct listener *listener);

/* The open socket is service's from now on, as its settings want it, and polled when
 * that is its state. */
void listener_serve(struct listener *listener, struct service *service);

/* The open socket is nobody's for now, and not polled. */
void listener_rest(struct listener *listener);

bool listener_is_open(const struct listener *listener);

/* Polls the socket, or leaves it to the kernel's queue. */
void listener_set_polled(struct listener *listener, bool polled);

/* Polls again after a while: for a shortage that will pass. */
void listener_pause(struct listener *listener, unsigned milliseconds);

bool endpoint_equal(const struct endpoint *one, const struct endpoint *other);

#endif
