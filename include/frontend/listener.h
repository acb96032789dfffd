/* One listening socket of a service. If it can't be bound it is tried again for ever, with
 * growing delays, never on another address. It knows its service only by its settings and
 * tells whoever is responsible for it what happens: struct listener_events. */
#ifndef USHERD_FRONTEND_LISTENER_H
#define USHERD_FRONTEND_LISTENER_H

#include "base/address.h"
#include "base/loop.h"
#include "base/timer.h"
#include "config/settings.h"
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
	struct service *service;                 /* NULL while it is offered to others */
	const struct service_settings *settings; /* the service's */
	struct endpoint endpoint;
	uint32_t ticket;         /* of the requested socket; 0: none is requested */
	struct watch watch;      /* watch.fd is -1 while the socket is not open */
	short type, protocol;    /* of the socket that is open or asked for */
	bool is_blocking : 1;    /* the socket, for a wait server */
	bool is_inner : 1;       /* INTERCEPT: the server's own socket, on the loopback interface */
	bool is_wanted : 1;      /* for reload's mark and sweep */
	bool was_lent : 1;       /* a server has had the socket */
	unsigned attempts;       /* failed ones since it was last open */
	int error;               /* of the last of them */
	struct watch refused;    /* INTERCEPT: the socket for refused datagrams; fd -1 without */
	struct session *server;  /* the wait server that has the socket now */
	struct wait_delay delay; /* of the next one */
	struct timer retry;
};

/* What happens to listeners. */
struct listener_events {
	/* The socket is needed: listener_bound or listener_not_bound is the answer. With
	 * ticket 0 the open socket is now this service's. No answer comes. */
	void (*wanted)(const struct listener *listener, uint32_t ticket);
	void (*unwanted)(const struct listener *listener);

	/* The socket is open, or has other settings. -1 with errno: it can't be used. */
	int (*opened)(struct listener *listener);

	/* A pause is over: listener_set_polled tells whether connections are wanted. */
	void (*rested)(struct listener *listener);

	/* False: no connection can be taken now, but soon. */
	bool (*has_room)(struct listener *listener);

	/* A connection has come; fd is the callee's. */
	void (*connection)(struct listener *listener, int fd, const struct address *peer);

	/* One has been closed, for want of a descriptor. */
	void (*overloaded)(struct listener *listener, const struct address *peer);

	/* Something can be read: datagrams, whatever a wait server is started for, or, from
	 * listener->refused, datagrams whose senders the kernel refuses. */
	void (*datagrams)(struct listener *listener);
	void (*server_wanted)(struct listener *listener);
	void (*sender_refused)(struct listener *listener);
};

/* Before all else. */
void listeners_init(const struct listener_events *events);

/* A listener of service, with its settings, on endpoint, not open yet. NULL with errno
 * ENOMEM. */
struct listener *listener_new(struct service *service, const struct service_settings *settings,
			      const struct endpoint *endpoint);

/* Closes and frees. */
void listener_free(struct listener *listener);

/* Requests the socket, unless it is open or requested. */
void listener_open(struct listener *listener);

/* The answers: the socket, which is polled if the service accepts connections, and for
 * INTERCEPT of datagrams the one for refused datagrams, otherwise -1; or the error, which
 * is logged once, and the request is repeated later. is_new: no service or server has had
 * the socket. */
void listener_bound(struct listener *listener, int fd, int refused, bool is_new);
void listener_not_bound(struct listener *listener, int error, const char *holder);

/* How many requests for sockets have no answer yet. */
unsigned listeners_asked(void);

/* Closes the socket; nothing is tried again until listener_open. */
void listener_close(struct listener *listener);

/* From now on listener_close leaves the sockets as they are, for the next daemon. */
void listeners_leave_ports(void);

/* Gives the open socket to service: it is set up for its settings, and polled if the
 * service's state says so. */
void listener_serve(struct listener *listener, struct service *service,
		    const struct service_settings *settings);

/* The open socket belongs to no service for now, and is not polled. */
void listener_rest(struct listener *listener);

bool listener_is_open(const struct listener *listener);

/* Polls the socket, or leaves it to the kernel's queue. */
void listener_set_polled(struct listener *listener, bool polled);

/* Stops polling for so long: for a temporary shortage. */
void listener_pause(struct listener *listener, unsigned milliseconds);

bool endpoint_equal(const struct endpoint *one, const struct endpoint *other);

#endif
