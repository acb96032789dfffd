#include "handlers/terminal_relay.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "handlers/handler.h"
#include "handlers/linger.h"
#include "session/record.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
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

	struct watch client, master, pipe; /* fd -1: there is none */
	struct outbox typed;               /* input that the program has no room for */
	uint64_t received, sent;

	bool client_is_done; /* it has sent everything */
	bool input_is_over;  /* the program gets no more */
	bool output_is_over; /* the client gets no more than session->unsent */
	bool is_cut;         /* there was no memory for the last output */
	bool is_left;        /* no process has the terminal; nobody reads what is written to it */

	struct timer flush;
	uint64_t flush_end; /* as of clock_now */
	struct lingering lingering;
};

/* One buffer for all: an idle relay needs only its struct. Its size is also the most that is kept
 * for a slow side. */
static char bytes[65536];

static bool is_passing(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void close_watched(struct watch *watch)
{
	watch_stop(watch);
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
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
	close_watched(&relay->pipe);
}

/* Closing the master hangs up. */
static void close_terminal(struct terminal_relay *relay)
{
	end_input(relay);
	close_watched(&relay->master);
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

/* The program may have closed its input, or nobody may have the terminal. */
static void give_input(struct terminal_relay *relay, size_t length)
{
	int fd = relay->pipe.fd >= 0 ? relay->pipe.fd : relay->master.fd;

	if (outbox_write(&relay->typed, fd, bytes, length) < 0)
		end_input(relay);
}

static void give_typed(struct terminal_relay *relay, int fd)
{
	if (outbox_write_rest(&relay->typed, fd) < 0)
		end_input(relay);
}

/* A raw terminal has no end of input; a pipe has. */
static void note_done(struct terminal_relay *relay)
{
	relay->client_is_done = true;
	if (relay->session->settings->kill_on_disconnect == KILL_ON_FIN)
		session_end(relay->session, END_DISCONNECT);
}

/* False: the client is gone. */
static bool receive(struct terminal_relay *relay)
{
	ssize_t length = recv(relay->session->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (length == 0) {
		note_done(relay);
	} else if (length > 0) {
		relay->received += (uint64_t)length;
		handler_note_traffic(relay->session);
		give_input(relay, (size_t)length);
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
	if (has_typed(relay) && relay->pipe.fd < 0 && !relay->is_left)
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

/* The client is always watched, for a reset; unless both sides have finished, which looks the
 * same. */
static bool watch_all(struct terminal_relay *relay)
{
	short events = client_events(relay);
	bool may_be_finished = relay->output_is_over && !has_unsent(relay);

	return (may_be_finished ? watch_quietly : watch_for)(&relay->client, events) &&
	       watch_quietly(&relay->master, master_events(relay)) &&
	       (relay->pipe.fd < 0 || watch_for(&relay->pipe, has_typed(relay) ? LOOP_WRITE : 0));
}

/* With a pipe the program may still read what the client sends. */
static bool is_released(struct terminal_relay *relay)
{
	if (!relay->output_is_over || has_unsent(relay))
		return false;
	if (relay->pipe.fd < 0)
		return true;
	shutdown(relay->session->fd, SHUT_WR);
	return false;
}

static void settle(struct terminal_relay *relay)
{
	if (relay->client_is_done && !has_typed(relay))
		end_input(relay);
	if (is_released(relay))
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

	relay->is_left = events & POLLHUP;
	if (relay->is_left && relay->pipe.fd < 0)
		end_input(relay);
	if ((events & LOOP_WRITE) && has_typed(relay) && relay->pipe.fd < 0)
		give_typed(relay, watch->fd);
	if ((events & ~LOOP_WRITE) && !has_unsent(relay) && !relay->output_is_over)
		is_there = pass_output(relay);
	if (is_there)
		settle(relay);
	else
		hang_up(relay);
}

static void on_pipe(struct watch *watch, short events)
{
	struct terminal_relay *relay = container_of(watch, struct terminal_relay, pipe);

	if (events & POLLERR) /* the program has closed its input */
		end_input(relay);
	else if (has_typed(relay))
		give_typed(relay, watch->fd);
	settle(relay);
}

/* --- the whole ------------------------------------------------------------------------------- */

struct terminal_relay *terminal_relay_new(struct session *session)
{
	struct terminal_relay *relay = calloc(1, sizeof *relay);

	if (!relay)
		return NULL;
	relay->session = session;
	watch_init(&relay->client, session->fd, on_client);
	watch_init(&relay->master, -1, on_master);
	watch_init(&relay->pipe, -1, on_pipe);
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

/* Without a master, which never happens, there is nothing to show. */
void terminal_relay_start(struct terminal_relay *relay, const int descriptors[], unsigned count)
{
	static const int on = 1;

	if (count > 0)
		relay->master.fd = descriptors[0];
	if (count > 1)
		relay->pipe.fd = descriptors[1];
	relay->output_is_over = count == 0;
	relay->state = RELAYING;
	/* Small pieces are passed on at once, as they were written. */
	setsockopt(relay->session->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	handler_note_traffic(relay->session);
	settle(relay);
}

/* A process that goes on writing is not waited for. */
static void drain(struct terminal_relay *relay)
{
	uint64_t before = relay->sent;

	while (!relay->output_is_over && relay->sent - before < TERMINAL_DRAIN_MAX) {
		size_t length = take_piece(relay);

		if (length == 0)
			return;
		if (outbox_add(&relay->session->unsent, bytes, length) < 0) {
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
	struct session *session = relay->session;
	int result = has_unsent(relay) ? session_flush(session) : 0;

	if (result == 0) {
		close_in_order(relay);
	} else if (result < 0 || watch_start(&relay->client, LOOP_WRITE) < 0) {
		session_close(session);
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
