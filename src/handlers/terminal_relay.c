#include "handlers/terminal_relay.h"

#include "base/clock.h"
#include "base/closer.h"
#include "base/container_of.h"
#include "base/terminal_input.h"
#include "handlers/handler.h"
#include "handlers/linger.h"
#include "session/record.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum relay_state {
	RELAY_WAITING, /* for the program */
	RELAYING,
	RELAY_LINGERING, /* the program goes on without the connection, which is being closed */
	RELAY_OVER,      /* there is no connection any more */
	RELAY_FLUSHING,  /* the session has ended */
};

struct terminal_relay {
	struct session *session; /* session->unsent: output that the client has no room for */
	enum relay_state state;
	bool has_ended; /* the session; only its connection is left */
	uint64_t owner; /* for closer_close */

	struct watch client, master; /* fd -1: there is none */
	struct outbox typed;         /* input that the program has no room for */
	uint64_t received, sent;

	bool client_is_done; /* it has sent everything */
	bool input_is_over;  /* the program gets no more */
	bool output_is_over; /* the client gets no more than session->unsent */
	bool end_is_typed;   /* PTY_EOF: it gets no more than relay->typed */
	bool is_cut;         /* the last output is lost */

	struct timer flush;
	uint64_t flush_end; /* as of clock_now */
	struct lingering lingering;
};

/* One buffer for all: an idle relay needs only its struct. Its size is also the most that is kept
 * for a slow side. */
static char bytes[65536];

enum { QUOTED_PIECE = 16384 }; /* read at once if it grows by quoting */

static bool is_passing(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool has_unsent(const struct terminal_relay *relay)
{
	return !outbox_is_empty(&relay->session->unsent);
}

static bool has_typed(const struct terminal_relay *relay)
{
	return !outbox_is_empty(&relay->typed);
}

static uint64_t lingering_ms(const struct terminal_relay *relay)
{
	int seconds = relay->session->settings->lingering_close;

	return (uint64_t)(seconds ? seconds : LINGERING_CLOSE_YES) * 1000;
}

static void end_input(struct terminal_relay *relay)
{
	relay->input_is_over = true;
	outbox_clear(&relay->typed);
}

/* Closing the master hangs up. */
static void close_terminal(struct terminal_relay *relay)
{
	end_input(relay);
	watch_stop(&relay->master);
	closer_close(relay->master.fd, relay->owner);
	relay->master.fd = -1;
	relay->output_is_over = true;
}

/* --- the end of the connection, while the program goes on --------------------------------- */

/* The last call of its caller if the session has ended: then it is freed. */
static void let_go(struct terminal_relay *relay)
{
	relay->state = RELAY_OVER;
	if (relay->has_ended)
		session_close(relay->session);
	else
		session_let_go(relay->session);
}

static void on_lingered(struct lingering *lingering)
{
	let_go(container_of(lingering, struct terminal_relay, lingering));
}

/* No process has the terminal, and the client has got everything. The master stays open: the
 * program is not hung up for what it has closed itself. */
static void release(struct terminal_relay *relay)
{
	struct session *session = relay->session;

	end_input(relay);
	watch_stop(&relay->client);
	watch_stop(&relay->master);
	timer_stop(&session->deadline);
	relay->state = RELAY_LINGERING;
	if (!linger_start(&relay->lingering, session->fd, lingering_ms(relay), session->service,
			  on_lingered))
		let_go(relay);
}

/* The client is gone. */
static void hang_up(struct terminal_relay *relay)
{
	struct session *session = relay->session;

	watch_stop(&relay->client);
	close_terminal(relay);
	outbox_clear(&session->unsent);
	let_go(relay);
	if (session->settings->kill_on_disconnect != KILL_NEVER)
		session_end(session, END_DISCONNECT);
}

/* --- from the client to the program --------------------------------------------------------- */

/* Nobody may have the terminal. */
static void type(struct terminal_relay *relay, const char *input, size_t length)
{
	if (outbox_write(&relay->typed, relay->master.fd, input, length) < 0)
		end_input(relay);
}

static void type_more(struct terminal_relay *relay)
{
	if (outbox_write_rest(&relay->typed, relay->master.fd) < 0)
		end_input(relay);
}

static bool has_end(const struct terminal_relay *relay)
{
	return relay->session->settings->pty == PTY_EOF;
}

/* The master shows the modes of the slave. */
static bool is_quoted(const struct terminal_relay *relay)
{
	struct termios modes;

	return has_end(relay) && tcgetattr(relay->master.fd, &modes) == 0 &&
	       terminal_input_is_quoted(&modes);
}

static void type_quoted(struct terminal_relay *relay, size_t length)
{
	static char quoted[TERMINAL_INPUT_SIZE(QUOTED_PIECE)];

	type(relay, quoted, terminal_input_quote(bytes, length, quoted));
}

/* A program that has set other modes gets the character once: it may know it, as editors of lines
 * do. */
static void type_end(struct terminal_relay *relay)
{
	char ends[TERMINAL_ENDS];

	relay->end_is_typed = true;
	memset(ends, TERMINAL_END, sizeof ends);
	type(relay, ends, is_quoted(relay) ? sizeof ends : 1);
}

static void note_done(struct terminal_relay *relay)
{
	relay->client_is_done = true;
	if (relay->session->settings->kill_on_disconnect == KILL_ON_FIN)
		session_end(relay->session, END_DISCONNECT);
}

/* False: the client is gone. */
static bool receive(struct terminal_relay *relay)
{
	size_t most = has_end(relay) ? QUOTED_PIECE : sizeof bytes;
	ssize_t length = recv(relay->session->fd, bytes, most, MSG_DONTWAIT);

	if (length == 0) {
		note_done(relay);
	} else if (length > 0) {
		relay->received += (uint64_t)length;
		handler_note_traffic(relay->session);
		if (is_quoted(relay))
			type_quoted(relay, (size_t)length);
		else
			type(relay, bytes, (size_t)length);
	}
	return length >= 0 || is_passing(length);
}

/* --- from the program to the client --------------------------------------------------------- */

/* Reads up to the size of the buffer: a terminal gives some 4,000 bytes at once. */
static size_t take_piece(struct terminal_relay *relay)
{
	size_t taken = 0;

	while (taken < sizeof bytes) {
		ssize_t length = read(relay->master.fd, bytes + taken, sizeof bytes - taken);

		if (length <= 0) {
			/* EIO: nobody has the terminal any more, and it is empty */
			relay->output_is_over = !is_passing(length);
			break;
		}
		taken += (size_t)length;
	}
	relay->sent += taken;
	return taken;
}

/* False: the client is gone. */
static bool pass_output(struct terminal_relay *relay)
{
	size_t length = take_piece(relay);

	if (length == 0)
		return true;
	handler_note_traffic(relay->session);
	return session_write(relay->session, bytes, length) >= 0;
}

/* --- both together ---------------------------------------------------------------------------- */

static bool wants_input(const struct terminal_relay *relay)
{
	return !relay->client_is_done && !relay->input_is_over && !has_typed(relay);
}

static short client_events(const struct terminal_relay *relay)
{
	short events = 0;

	if (wants_input(relay))
		events |= LOOP_READ;
	else if (!relay->client_is_done &&
		 relay->session->settings->kill_on_disconnect == KILL_ON_FIN)
		events |= LOOP_PEER_DONE;
	if (has_unsent(relay))
		events |= LOOP_WRITE;
	return events;
}

static short master_events(const struct terminal_relay *relay)
{
	short events = 0;

	if (!relay->output_is_over && !has_unsent(relay))
		events |= LOOP_READ;
	if (has_typed(relay))
		events |= LOOP_WRITE;
	return events;
}

static bool watch_for(struct watch *watch, short events)
{
	if (events == watch->events && watch_is_started(watch))
		return true;
	return watch_start(watch, events) == 0;
}

/* A hang-up, which is always reported, is of interest only together with something else. */
static bool watch_quietly(struct watch *watch, short events)
{
	if (events)
		return watch_for(watch, events);
	watch_stop(watch);
	return true;
}

/* The client is always watched, for a reset. */
static bool watch_all(struct terminal_relay *relay)
{
	return watch_for(&relay->client, client_events(relay)) &&
	       watch_quietly(&relay->master, master_events(relay));
}

static void settle(struct terminal_relay *relay)
{
	if (relay->client_is_done && !relay->input_is_over && !has_typed(relay)) {
		if (has_end(relay) && !relay->end_is_typed)
			type_end(relay);
		if (!has_typed(relay))
			end_input(relay);
	}
	if (relay->output_is_over && !has_unsent(relay))
		release(relay);
	else if (!watch_all(relay))
		hang_up(relay);
}

/* --- flushing ------------------------------------------------------------------------------ */

static void close_in_order(struct terminal_relay *relay)
{
	struct session *session = relay->session;
	uint64_t ms = lingering_ms(relay);

	session->stop = NULL;
	session->end = NULL;
	terminal_relay_free(relay);
	session_served(session);
	session_linger(session, ms);
}

/* The client must not take a part for the whole. */
static void cut_off(struct session *session)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	session_close(session);
}

static void on_late(struct timer *timer)
{
	cut_off(container_of(timer, struct terminal_relay, flush)->session);
}

/* The client must go on taking something. */
static void await_client(struct terminal_relay *relay)
{
	uint64_t now = clock_now(), ms = lingering_ms(relay);
	uint64_t left = relay->flush_end > now ? relay->flush_end - now : 0;

	timer_start(&relay->flush, left < ms ? left : ms);
}

static void flush_some(struct terminal_relay *relay, short events)
{
	int result = events & LOOP_WRITE ? session_flush(relay->session) : -1;

	if (result < 0)
		session_close(relay->session);
	else if (result == 0)
		close_in_order(relay);
	else
		await_client(relay);
}

/* --- events ---------------------------------------------------------------------------------- */

/* False: the client is gone. */
static bool serve_client(struct terminal_relay *relay, short events)
{
	if ((events & LOOP_WRITE) && has_unsent(relay)) {
		handler_note_traffic(relay->session);
		if (session_flush(relay->session) < 0)
			return false;
	}
	if ((events & ~LOOP_WRITE) && wants_input(relay))
		return receive(relay);
	if (events & (POLLERR | POLLHUP))
		return false;
	if (events & LOOP_PEER_DONE)
		note_done(relay);
	return true;
}

static void on_client(struct watch *watch, short events)
{
	struct terminal_relay *relay = container_of(watch, struct terminal_relay, client);

	if (relay->state == RELAY_FLUSHING)
		flush_some(relay, events);
	else if (serve_client(relay, events))
		settle(relay);
	else
		hang_up(relay);
}

static void on_master(struct watch *watch, short events)
{
	struct terminal_relay *relay = container_of(watch, struct terminal_relay, master);
	bool is_there = true;

	if (events & POLLHUP) /* no process has the terminal */
		end_input(relay);
	if ((events & LOOP_WRITE) && has_typed(relay))
		type_more(relay);
	if ((events & ~LOOP_WRITE) && !has_unsent(relay) && !relay->output_is_over)
		is_there = pass_output(relay);
	if (is_there)
		settle(relay);
	else
		hang_up(relay);
}

/* --- the whole ------------------------------------------------------------------------------- */

struct terminal_relay *terminal_relay_new(struct session *session)
{
	struct terminal_relay *relay = calloc(1, sizeof *relay);

	if (!relay)
		return NULL;
	relay->session = session;
	relay->owner = (uintptr_t)session->service;
	watch_init(&relay->client, session->fd, on_client);
	watch_init(&relay->master, -1, on_master);
	timer_init(&relay->flush, on_late);
	return relay;
}

void terminal_relay_free(struct terminal_relay *relay)
{
	if (!relay)
		return;
	watch_stop(&relay->client);
	close_terminal(relay);
	timer_stop(&relay->flush);
	linger_stop(&relay->lingering);
	free(relay);
}

void terminal_relay_start(struct terminal_relay *relay, int master)
{
	static const int on = 1;

	relay->master.fd = master;
	relay->output_is_over = master < 0; /* there was no room for its descriptor */
	relay->state = RELAYING;
	/* Small pieces are passed on at once, as they were written. */
	setsockopt(relay->session->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	handler_note_traffic(relay->session);
	settle(relay);
}

/* 0 or more, or -1: the connection is broken, or there is no memory. */
static int send_or_keep(struct session *session, size_t length)
{
	return outbox_is_empty(&session->unsent) ? session_write(session, bytes, length)
						 : outbox_add(&session->unsent, bytes, length);
}

/* A process that goes on writing is not waited for. */
static void drain(struct terminal_relay *relay)
{
	uint64_t before = relay->sent;

	while (!relay->output_is_over && relay->sent - before < TERMINAL_DRAIN_MAX) {
		size_t length = take_piece(relay);

		if (length == 0)
			return;
		if (send_or_keep(relay->session, length) < 0) {
			relay->is_cut = true;
			return;
		}
	}
}

void terminal_relay_record(struct terminal_relay *relay)
{
	if (relay->state == RELAYING)
		drain(relay);
	watch_stop(&relay->client);
	close_terminal(relay);
	record_traffic(relay->session, relay->received, relay->sent);
}

static void on_session_closed(struct session *session)
{
	terminal_relay_free(session->handler_data);
}

/* The session is to end before its client has got everything. */
static void on_session_end(struct session *session, bool at_once)
{
	(void)at_once;
	cut_off(session);
}

static void begin_flush(struct terminal_relay *relay)
{
	if (!has_unsent(relay)) {
		close_in_order(relay);
	} else if (watch_start(&relay->client, LOOP_WRITE) < 0) {
		cut_off(relay->session);
	} else {
		relay->state = RELAY_FLUSHING;
		relay->flush_end = clock_now() + TERMINAL_FLUSH_MS;
		await_client(relay);
	}
}

void terminal_relay_end(struct terminal_relay *relay)
{
	struct session *session = relay->session;

	relay->has_ended = true;
	timer_stop(&session->deadline);
	if (relay->state == RELAY_LINGERING)
		session_served(session);
	session->handler_data = relay;
	session->stop = on_session_closed;
	if (relay->state == RELAY_LINGERING)
		return;
	session->end = on_session_end;
	if (session->fd < 0)
		session_close(session);
	else if (relay->is_cut)
		cut_off(session);
	else
		begin_flush(relay);
}
