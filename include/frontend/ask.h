/* What the frontend asks the monitor for, and how it hears the answer. Loop thread
 * only. */
#ifndef USHERD_FRONTEND_ASK_H
#define USHERD_FRONTEND_ASK_H

#include "channel/channel.h"
#include "frontend/listener.h"
#include "frontend/service.h"
#include "handlers/launch.h"

#include <stdbool.h>
#include <stdint.h>

/* Everything goes by this channel. */
void ask_init(struct channel *channel);

/* Services have their numbers in this generation from now on. */
void ask_use_generation(uint32_t number);

/* A socket for listener, whose ticket the answer has; ticket 0: the one it has is now
 * its service's. What can't be sent is as good as not answered: the channel is broken
 * then, and the frontend about to end. */
void ask_bind(const struct listener *listener, uint32_t ticket);
void ask_unbind(const struct listener *listener);

void ask_ban(const struct address *address, uint64_t until);

/* Tells the monitor that the generation is in force. */
void ask_adopted(uint32_t bound, uint32_t wanted);
void ask_reported(void);

/* For launch_init. */
extern const struct launch_way ask_launch_way;

/* A question whose answer somebody waits for. */
struct ask;

/* The answer: a descriptor, the callee's, or -1 with error. */
typedef void ask_opened(void *context, int descriptor, int error);

/* The answer of libwrap. */
typedef void ask_allowed(void *context, bool allowed);

/* Asks for a banner of the service, or whether the service's libwrap name may serve
 * peer on its address local. done is called later, never before this returns. NULL
 * with errno ENOMEM: it could not be asked, and is not called. */
struct ask *ask_banner(const struct service *service, enum banner_kind which, ask_opened *done,
		       void *context);
struct ask *ask_libwrap(const struct service *service, const struct address *peer,
			const struct address *local, ask_allowed *done, void *context);

/* Asks for a connection from that port to be let in to the service's inner socket. As
 * above; error 0: it is. ask_let_out: it need not be any more. */
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
