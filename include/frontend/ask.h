/* The frontend's requests to the monitor, and the answers to them. Loop thread only. */
#ifndef USHERD_FRONTEND_ASK_H
#define USHERD_FRONTEND_ASK_H

#include "channel/channel.h"
#include "frontend/listener.h"
#include "frontend/service.h"
#include "handlers/launch.h"

#include <stdbool.h>
#include <stdint.h>

/* Sets the channel to the monitor. */
void ask_init(struct channel *channel);

/* From now on the numbers of services are those in this generation. */
void ask_use_generation(uint32_t number);

/* Requests a socket for listener; the answer has the same ticket. ticket 0: tells the
 * monitor that the listener's socket now belongs to its service. A failure to send is
 * ignored: the channel is then broken, and the frontend ends. */
void ask_bind(const struct listener *listener, uint32_t ticket);

/* Between these two, requests for sockets are sent many at once. */
void ask_together(void);
void ask_now(void);

void ask_unbind(const struct listener *listener);

void ask_ban(const struct address *address, uint64_t until);

/* Tells the monitor that the generation is in force. */
void ask_adopted(uint32_t bound, uint32_t wanted);
void ask_reported(uint64_t ticket);
void ask_pong(void);
void ask_logged(uint64_t count);               /* as in logged_message */
void ask_measured(uint64_t ticket, int error); /* errno: they can't be written; 0: they are */

void ask_unban(const struct address *address);

/* Asks for a reload. The answer, MESSAGE_LOADED, has a ticket that is at least as high as the
 * one that this returns. */
uint64_t ask_reload(void);

/* For launch_init. */
extern const struct launch_way ask_launch_way;

/* A request that waits for its answer. */
struct ask;

/* The answer: a descriptor, the callee's, or -1 with error. */
typedef void ask_opened(void *context, int descriptor, int error);

/* The answer of libwrap. */
typedef void ask_allowed(void *context, bool allowed);

/* Requests a banner of the service, or a libwrap check of peer on the service's address
 * local. done is called later, never before this returns. NULL with errno ENOMEM: done is
 * not called. */
struct ask *ask_banner(const struct service *service, enum banner_kind which, ask_opened *done,
		       void *context);
struct ask *ask_libwrap(const struct service *service, const struct address *peer,
			const struct address *local, ask_allowed *done, void *context);

/* Requests that a connection from that port is permitted to the service's inner socket.
 * As above; error 0: it is. ask_let_out: it is not needed any more. */
typedef void ask_let_in_done(void *context, int error);
struct ask *ask_let_in(const struct service *service, uint16_t port, ask_let_in_done *done,
		       void *context);
void ask_let_out(const struct service *service, uint16_t port);

/* done will not be called. */
void ask_cancel(struct ask *ask);

/* MESSAGE_BANNER, with its descriptor or -1, MESSAGE_LIBWRAP and MESSAGE_GATE. */
void ask_banner_answered(const struct banner_message *message, int descriptor);
void ask_libwrap_answered(const struct libwrap_message *message);
void ask_gate_answered(const struct gate_message *message);

#endif
