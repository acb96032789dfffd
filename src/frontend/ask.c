#include "frontend/ask.h"

#include "base/hash.h"
#include "config/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct ask {
	UT_hash_handle hh;
	uint64_t ticket;
	ask_opened *opened; /* one of three callbacks is set */
	ask_allowed *allowed;
	ask_let_in_done *let_in;
	void *context;
};

static struct channel *channel;
static uint32_t generation;
static struct ask *asks;
static uint64_t last_ticket;

void ask_init(struct channel *to_monitor)
{
	channel = to_monitor;
}

void ask_use_generation(uint32_t number)
{
	generation = number;
}

static struct service_number number_of(const struct service *service)
{
	return (struct service_number){ .generation = generation, .service = service->number };
}

/* When sending fails, the channel is broken, or the monitor will close it. */
static int tell(const struct message *message)
{
	return channel_send(channel, message, NULL, 0);
}

static void say(const struct message *message)
{
	if (tell(message) < 0)
		errno = 0;
}

/* --- sockets --------------------------------------------------------------------------- */

static struct message listener_message(enum message_kind kind, const struct listener *listener,
				       uint32_t ticket)
{
	return (struct message){
		.kind = kind,
		.bind = { .service = number_of(listener->service),
			  .ticket = ticket,
			  .type = listener->type,
			  .protocol = listener->protocol,
			  .address = listener->endpoint.address,
			  .v6only = listener->endpoint.v6only,
			  .is_inner = listener->is_inner,
			  .asks_holder = listener->attempts == 0 },
	};
}

void ask_bind(const struct listener *listener, uint32_t ticket)
{
	struct message message = listener_message(MESSAGE_BIND, listener, ticket);

	if (channel_lend(channel, &message, NULL, 0) < 0)
		errno = 0;
}

void ask_together(void)
{
	channel_join(channel);
}

void ask_now(void)
{
	if (channel_part(channel) < 0)
		errno = 0;
}

/* The monitor closes the sockets of a removed service without being asked. */
void ask_unbind(const struct listener *listener)
{
	struct message message;

	if (!listener->service || listener->service->number == SERVICE_IS_NEW)
		return;
	message = listener_message(MESSAGE_UNBIND, listener, 0);
	say(&message);
}

/* --- programs -------------------------------------------------------------------------- */

static int ask_launch(const struct session *session, struct message *message,
		      const int descriptors[], unsigned count)
{
	const struct listener *listener = session->origin;

	message->launch.service = number_of(session->service);
	if (listener) {
		message->launch.waits = true;
		message->launch.socket = listener->endpoint.address;
		message->launch.v6only = listener->endpoint.v6only;
		message->launch.is_inner = listener->is_inner;
	}
	return channel_send(channel, message, descriptors, count);
}

static void ask_end(uint64_t session, bool at_once, enum end_reason reason)
{
	say(&(struct message){
		.kind = MESSAGE_END,
		.end = { .session = session, .at_once = at_once, .reason = (uint8_t)reason } });
}

const struct launch_way ask_launch_way = { .ask = ask_launch, .end = ask_end };

/* --- requests without an answer ---------------------------------------------------------- */

void ask_ban(const struct address *address, uint64_t until)
{
	say(&(struct message){ .kind = MESSAGE_BAN,
			       .ban = { .address = *address, .until = until } });
}

void ask_adopted(uint32_t bound, uint32_t wanted)
{
	say(&(struct message){
		.kind = MESSAGE_ADOPTED,
		.generation = { .generation = generation, .bound = bound, .wanted = wanted } });
}

void ask_reported(uint64_t ticket)
{
	say(&(struct message){ .kind = MESSAGE_REPORTED, .report = { .ticket = ticket } });
}

void ask_pong(void)
{
	say(&(struct message){ .kind = MESSAGE_PONG });
}

void ask_logged(uint64_t count)
{
	say(&(struct message){ .kind = MESSAGE_LOGGED, .logged = { .count = count } });
}

void ask_measured(uint64_t ticket, int error)
{
	say(&(struct message){ .kind = MESSAGE_MEASURED,
			       .measured = { .ticket = ticket, .error = error } });
}

void ask_unban(const struct address *address)
{
	say(&(struct message){ .kind = MESSAGE_UNBAN, .ban = { .address = *address } });
}

uint64_t ask_reload(void)
{
	static uint64_t last_reload;

	say(&(struct message){ .kind = MESSAGE_RELOAD, .reload = { .ticket = ++last_reload } });
	return last_reload;
}

/* --- requests with an answer -------------------------------------------------------------- */

static struct ask *ask_new(void *context)
{
	struct ask *ask = calloc(1, sizeof *ask);

	if (!ask)
		return NULL;
	ask->ticket = ++last_ticket;
	ask->context = context;
	HASH_ADD(hh, asks, ticket, sizeof ask->ticket, ask);
	if (ask->hh.tbl)
		return ask;
	free(ask);
	errno = ENOMEM;
	return NULL;
}

static void ask_free(struct ask *ask)
{
	HASH_DEL(asks, ask);
	free(ask);
}

static struct ask *put(struct ask *ask, const struct message *message)
{
	if (tell(message) == 0)
		return ask;
	ask_free(ask);
	errno = ENOMEM;
	return NULL;
}

struct ask *ask_banner(const struct service *service, enum banner_kind which, ask_opened *done,
		       void *context)
{
	struct ask *ask = ask_new(context);
	struct message message = { .kind = MESSAGE_OPEN_BANNER };

	if (!ask)
		return NULL;
	ask->opened = done;
	message.banner = (struct banner_message){
		.ticket = ask->ticket,
		.service = number_of(service),
		.which = (uint8_t)which,
	};
	return put(ask, &message);
}

struct ask *ask_libwrap(const struct service *service, const struct address *peer,
			const struct address *local, ask_allowed *done, void *context)
{
	struct ask *ask = ask_new(context);
	struct message message = { .kind = MESSAGE_ASK_LIBWRAP };

	if (!ask)
		return NULL;
	ask->allowed = done;
	message.libwrap = (struct libwrap_message){
		.ticket = ask->ticket,
		.service = number_of(service),
		.peer = *peer,
		.local = *local,
	};
	return put(ask, &message);
}

static struct message gate_message(enum message_kind kind, const struct service *service,
				   uint16_t port, uint64_t ticket)
{
	return (struct message){
		.kind = kind,
		.gate = { .ticket = ticket, .service = number_of(service), .port = port },
	};
}

struct ask *ask_let_in(const struct service *service, uint16_t port, ask_let_in_done *done,
		       void *context)
{
	struct ask *ask = ask_new(context);
	struct message message;

	if (!ask)
		return NULL;
	ask->let_in = done;
	message = gate_message(MESSAGE_LET_IN, service, port, ask->ticket);
	return put(ask, &message);
}

void ask_let_out(const struct service *service, uint16_t port)
{
	struct message message = gate_message(MESSAGE_LET_OUT, service, port, 0);

	if (service->number != SERVICE_IS_NEW)
		say(&message);
}

void ask_cancel(struct ask *ask)
{
	if (ask->allowed)
		say(&(struct message){ .kind = MESSAGE_FORGET_LIBWRAP,
				       .libwrap = { .ticket = ask->ticket } });
	ask_free(ask);
}

static struct ask *find(uint64_t ticket)
{
	struct ask *ask;

	HASH_FIND(hh, asks, &ticket, sizeof ticket, ask);
	return ask;
}

void ask_banner_answered(const struct banner_message *message, int descriptor)
{
	struct ask *ask = find(message->ticket);
	ask_opened *opened = ask ? ask->opened : NULL;
	void *context = ask ? ask->context : NULL;

	if (!opened) {
		if (descriptor >= 0)
			close(descriptor);
		return;
	}
	ask_free(ask);
	opened(context, descriptor, message->error);
}

void ask_libwrap_answered(const struct libwrap_message *message)
{
	struct ask *ask = find(message->ticket);
	ask_allowed *allowed = ask ? ask->allowed : NULL;
	void *context = ask ? ask->context : NULL;

	if (!allowed)
		return;
	ask_free(ask);
	allowed(context, message->is_allowed);
}

void ask_gate_answered(const struct gate_message *message)
{
	struct ask *ask = find(message->ticket);
	ask_let_in_done *let_in = ask ? ask->let_in : NULL;
	void *context = ask ? ask->context : NULL;

	if (!let_in)
		return;
	ask_free(ask);
	let_in(context, message->error);
}
