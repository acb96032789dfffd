#include "handlers/kept_socket.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/descriptors.h"
#include "base/tcp_state.h"
#include "handlers/linger.h"
#include "session/record.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum {
	LOOK_AGAIN_MS = 1000,    /* after a hang-up that means nothing */
	IDLE_LOOKS = 8,          /* in one idle_timeout, but */
	IDLE_LOOK_MS_MIN = 1000, /* not more often than this */
	IDLE_SLACK_MS = 20,      /* the kernel's times are less exact than the clock */
};

enum kept_state { KEPT_WATCHED, KEPT_LINGERING, KEPT_CLOSED };

struct kept_socket {
	struct session *session;
	enum kept_state state;
	bool has_ended; /* the session; only the connection is left */

	struct watch hangup;
	struct timer look_again;
	bool peer_is_done; /* the client has finished sending */

	struct timer idle;
	uint64_t active;         /* when the last byte moved, as of clock_now */
	uint64_t looked;         /* the last look, when ... */
	uint64_t moved, acked;   /* ... these were the counts of struct tcp_state */
	uint64_t read_before;    /* bytes that the daemon read itself ... */
	uint64_t sent_before;    /* ... and sent */
	uint64_t received, sent; /* by the program, once they are counted */
	bool is_counted;

	struct lingering lingering;
};

/* --- traffic ---------------------------------------------------------------------------- */

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

/* Bytes that have come and were not read yet. */
static uint64_t unread(int fd)
{
	int count = 0;

	return ioctl(fd, SIOCINQ, &count) < 0 || count < 0 ? 0 : (uint64_t)count;
}

/* What came, without the client's end, which the kernel counts as a byte. When the connection is
 * over, only one that both sides have finished is known to have ended so. */
static uint64_t received(const struct kept_socket *kept, const struct tcp_state *state)
{
	bool has_end =
		kept->peer_is_done || state->peer_is_done || (state->is_over && state->is_finished);

	return less(state->received, has_end);
}

static bool counts_traffic(const struct kept_socket *kept)
{
	return kept->session->settings->log_on_success & LOG_FLAG_TRAFFIC;
}

/* Banners, replies and requests of tcpmux are not the program's. What came while it was counted
 * is: once more, then. */
static void count_before(struct kept_socket *kept)
{
	int fd = kept->session->fd;
	struct tcp_state state;
	uint64_t waiting;

	for (int i = 0; i < 3 && tcp_state_read(fd, &state) == 0; i++) {
		waiting = unread(fd);
		kept->sent_before = state.written;
		kept->read_before = less(received(kept, &state), waiting);
		if (tcp_state_read(fd, &state) == 0 &&
		    less(received(kept, &state), waiting) == kept->read_before)
			return;
	}
}

/* The last counts, while there is a connection. */
static void count_traffic(struct kept_socket *kept)
{
	struct tcp_state state;

	if (kept->is_counted || !counts_traffic(kept) ||
	    tcp_state_read(kept->session->fd, &state) < 0)
		return;
	kept->is_counted = true;
	kept->received = less(received(kept, &state), kept->read_before);
	kept->sent = less(state.written, kept->sent_before);
}

void kept_socket_record(struct kept_socket *kept)
{
	count_traffic(kept);
	session_note_traffic(kept->session, kept->received, kept->sent);
	record_traffic(kept->session, kept->received, kept->sent);
}

/* --- the client's end --------------------------------------------------------------------- */

/* A reset, or the end of a connection that cannot be reached any more. The program may have taken
 * the error; but if it has not finished its side, only an error can have ended both. */
static bool is_broken(const struct tcp_state *state, short events)
{
	return state->is_over && ((events & POLLERR) || !state->is_finished);
}

static bool is_gone(const struct kept_socket *kept, const struct tcp_state *state, short events)
{
	switch (kept->session->settings->kill_on_disconnect) {
	case KILL_ON_RESET:
		return is_broken(state, events);
	case KILL_ON_FIN:
		return state->is_over || state->peer_is_done;
	case KILL_NEVER:
		return false;
	}
	return false;
}

static short wanted_events(const struct kept_socket *kept)
{
	bool wants_end =
		kept->session->settings->kill_on_disconnect == KILL_ON_FIN || counts_traffic(kept);

	return wants_end && !kept->peer_is_done ? LOOP_PEER_DONE : 0;
}

static bool is_watchful(const struct kept_socket *kept)
{
	return kept->session->settings->kill_on_disconnect != KILL_NEVER ||
	       (counts_traffic(kept) && !kept->peer_is_done);
}

static void watch_hangup(struct kept_socket *kept)
{
	if (is_watchful(kept) && watch_start(&kept->hangup, wanted_events(kept)) < 0)
		timer_start(&kept->look_again, LOOK_AGAIN_MS);
}

/* What it reports stays true. A program can cause it too, with shutdown(2): then there is nothing
 * to do, but a reset may follow. */
static void on_hangup(struct watch *watch, short events)
{
	struct kept_socket *kept = container_of(watch, struct kept_socket, hangup);
	struct tcp_state state;

	watch_stop(watch);
	if (tcp_state_read(watch->fd, &state) < 0)
		return;
	kept->peer_is_done |= state.peer_is_done;
	if (is_gone(kept, &state, events))
		session_end(kept->session, END_DISCONNECT);
	else if (events == LOOP_PEER_DONE && state.peer_is_done)
		watch_hangup(kept);
	else if (!state.is_over)
		timer_start(&kept->look_again, LOOK_AGAIN_MS);
}

static void on_look_again(struct timer *timer)
{
	watch_hangup(container_of(timer, struct kept_socket, look_again));
}

/* --- silence ---------------------------------------------------------------------------- */

static uint64_t idle_limit(const struct kept_socket *kept)
{
	return (uint64_t)kept->session->settings->idle_timeout * 1000 + IDLE_SLACK_MS;
}

static uint64_t least(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* When the last byte moved, between the last look and this one. The kernel knows the times of
 * segments and acknowledgements; repeated ones may have come later than the last that counts. */
static uint64_t last_move(const struct kept_socket *kept, const struct tcp_state *state)
{
	uint64_t ago =
		state->acked != kept->acked ? least(state->data_ms, state->ack_ms) : state->data_ms;
	uint64_t moment = less(clock_now(), ago);

	return moment > kept->looked ? moment : kept->looked;
}

static void look(struct kept_socket *kept, const struct tcp_state *state)
{
	if (state->moved != kept->moved)
		kept->active = last_move(kept, state);
	kept->moved = state->moved;
	kept->acked = state->acked;
	kept->looked = clock_now();
}

static void await_silence(struct kept_socket *kept)
{
	uint64_t limit = idle_limit(kept), step = limit / IDLE_LOOKS;
	uint64_t left = limit - least(limit, clock_now() - kept->active);

	if (step < IDLE_LOOK_MS_MIN)
		step = IDLE_LOOK_MS_MIN;
	timer_start(&kept->idle, least(left, step));
}

static void on_idle(struct timer *timer)
{
	struct kept_socket *kept = container_of(timer, struct kept_socket, idle);
	struct tcp_state state;

	if (tcp_state_read(kept->session->fd, &state) < 0)
		return;
	look(kept, &state);
	if (clock_now() - kept->active >= idle_limit(kept))
		session_end(kept->session, END_IDLE_TIMEOUT);
	else
		await_silence(kept);
}

static void watch_silence(struct kept_socket *kept)
{
	struct tcp_state state;

	if (kept->session->settings->idle_timeout == 0 ||
	    tcp_state_read(kept->session->fd, &state) < 0)
		return;
	look(kept, &state);
	kept->active = clock_now();
	await_silence(kept);
}

/* --- from state to state -------------------------------------------------------------------- */

struct kept_socket *kept_socket_new(struct session *session)
{
	struct kept_socket *kept = calloc(1, sizeof *kept);

	if (!kept)
		return NULL;
	kept->session = session;
	watch_init(&kept->hangup, session->fd, on_hangup);
	timer_init(&kept->look_again, on_look_again);
	timer_init(&kept->idle, on_idle);
	if (counts_traffic(kept))
		count_before(kept);
	return kept;
}

void kept_socket_watch(struct kept_socket *kept)
{
	watch_hangup(kept);
	watch_silence(kept);
}

static void stop_watching(struct kept_socket *kept)
{
	watch_stop(&kept->hangup);
	timer_stop(&kept->look_again);
	timer_stop(&kept->idle);
}

/* The program may have set SO_LINGER, and the session's close(2) must not wait. */
void kept_socket_free(struct kept_socket *kept)
{
	if (!kept)
		return;
	stop_watching(kept);
	linger_stop(&kept->lingering);
	if (kept->session->fd >= 0)
		descriptor_forbid_waiting(kept->session->fd);
	free(kept);
}

static void close_at_last(struct kept_socket *kept)
{
	kept->state = KEPT_CLOSED;
	if (kept->has_ended)
		session_close(kept->session);
	else
		session_let_go(kept->session);
}

static void on_lingered(struct lingering *lingering)
{
	close_at_last(container_of(lingering, struct kept_socket, lingering));
}

/* True: the connection lingers. */
static bool linger(struct kept_socket *kept)
{
	const struct session *session = kept->session;
	uint64_t ms = (uint64_t)session->settings->lingering_close * 1000;

	if (ms == 0 || kept->state != KEPT_WATCHED ||
	    !linger_start(&kept->lingering, session->fd, ms, session->service, on_lingered))
		return false;
	kept->state = KEPT_LINGERING;
	return true;
}

void kept_socket_released(struct kept_socket *kept)
{
	if (kept->state != KEPT_WATCHED)
		return;
	count_traffic(kept);
	stop_watching(kept);
	if (!linger(kept))
		close_at_last(kept);
}

static void on_session_closed(struct session *session)
{
	kept_socket_free(session->handler_data);
}

void kept_socket_end(struct kept_socket *kept)
{
	struct session *session = kept->session;

	stop_watching(kept);
	if (kept->state != KEPT_LINGERING && !linger(kept)) {
		kept_socket_free(kept);
		session_close(session);
		return;
	}
	kept->has_ended = true;
	session_served(session);
	session->handler_data = kept;
	session->stop = on_session_closed;
}
