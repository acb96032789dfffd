#include "frontend/pending.h"

#include "admission/host_names.h"
#include "base/container_of.h"
#include "base/log.h"
#include "frontend/ask.h"
#include "frontend/banner.h"
#include "frontend/service.h"
#include "handlers/linger.h"
#include "session/identify.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PIECE = 64 * 1024, /* bytes per send(2) */
	SEND_DEADLINE_MS = 30000,
	LINGER_MS = 2000,
};

/* What a session waits for; in session->handler_data. */
struct pending {
	pending_step *next;
	pending_names_step *next_names;
	pending_libwrap_step *next_libwrap;
	pending_ident_step *next_ident;
	struct session *session; /* from here to banner: for banners alone */
	enum banner_kind which;
	struct banner_wait banner_wait;
	bool waits_for_banner;
	struct banner *banner; /* a reference; NULL: a text is sent */
	char *copy;            /* of the text; NULL: there is none */
	const char *unsent;
	size_t left;
	struct name_query *names;
	struct ask *libwrap;
	struct identification *ident;
};

static void pending_give_up(struct session *session)
{
	struct pending *pending = session->handler_data;

	if (pending->waits_for_banner)
		banner_cancel(&pending->banner_wait);
	if (pending->banner)
		banner_release(pending->banner);
	if (pending->names)
		host_names_cancel(pending->names);
	if (pending->libwrap)
		ask_cancel(pending->libwrap);
	if (pending->ident)
		identify_cancel(pending->ident);
	free(pending->copy);
	free(pending);
	session->handler_data = NULL;
	session->stop = NULL;
}

/* NULL: out of memory, and the session has failed. */
static struct pending *pending_begin(struct session *session)
{
	struct pending *pending = calloc(1, sizeof *pending);

	if (!pending) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return NULL;
	}
	session->handler_data = pending;
	session->stop = pending_give_up;
	return pending;
}

/* The wait is over: returns its record by value and frees it. */
static struct pending pending_end(struct session *session)
{
	struct pending pending = *(struct pending *)session->handler_data;

	free(session->handler_data);
	session->handler_data = NULL;
	session->stop = NULL;
	return pending;
}

/* --- the limit of all steps -------------------------------------------------------------- */

static void on_start_timeout(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, start);

	if (session->state == SESSION_SERVING)
		session_end(session, END_START_TIMEOUT);
	else if (session->is_refused || session->is_being_named)
		session_close(session);
	else
		session_fail(session, REFUSED_START_TIMEOUT, NULL);
}

void pending_limit(struct session *session)
{
	uint64_t seconds = (uint64_t)session->settings->start_timeout;

	timer_init(&session->start, on_start_timeout);
	if (seconds > 0)
		timer_start(&session->start, 1000 * seconds);
}

void pending_done(struct session *session)
{
	timer_stop(&session->start);
}

/* --- sending --------------------------------------------------------------------------- */

/* The peer is gone, or too slow to take what is sent. A refusal was logged before, so
 * nothing more is logged then. */
static void lose(struct session *session)
{
	if (session->is_refused)
		session_close(session);
	else
		session_fail(session, REFUSED_BANNER, NULL);
}

static void on_send_deadline(struct timer *timer)
{
	lose(container_of(timer, struct session, deadline));
}

/* Limits the unsent bytes that the kernel buffers for a slow peer; 0: no limit. The
 * daemon's own copy is shared by all peers. */
static void keep_in_kernel(int fd, int bytes)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static void sent(struct session *session)
{
	struct pending pending = pending_end(session);

	if (pending.banner)
		banner_release(pending.banner);
	free(pending.copy);
	pending.next(session);
}

/* Sends one piece per turn of the loop. Returns 1 while bytes are left, 0 when all are
 * sent, -1 when the connection is broken. */
static int send_piece(struct session *session)
{
	struct pending *pending = session->handler_data;
	size_t length = pending->left < PIECE ? pending->left : PIECE;
	ssize_t done = send(session->fd, pending->unsent, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	pending->unsent += done;
	pending->left -= (size_t)done;
	return pending->left > 0;
}

static void on_writable(struct watch *watch, short events)
{
	struct session *session = container_of(watch, struct session, watch);
	int left = send_piece(session);

	(void)events;
	if (left < 0) {
		lose(session);
	} else if (left == 0) {
		watch_stop(watch);
		timer_stop(&session->deadline);
		keep_in_kernel(session->fd, 0);
		sent(session);
	}
}

/* bytes must stay valid until all are sent. */
static void send_bytes(struct session *session, const char *bytes, size_t length)
{
	struct pending *pending = session->handler_data;
	int left = 0;

	pending->unsent = bytes;
	pending->left = length;
	if (length > 0)
		left = send_piece(session);
	if (left == 0) {
		sent(session);
		return;
	}
	watch_init(&session->watch, session->fd, on_writable);
	if (left < 0 || watch_start(&session->watch, LOOP_WRITE) < 0) {
		lose(session);
		return;
	}
	keep_in_kernel(session->fd, PIECE);
	timer_init(&session->deadline, on_send_deadline);
	timer_start(&session->deadline, SEND_DEADLINE_MS);
}

void pending_send_text(struct session *session, const char *text, pending_step *next)
{
	struct pending *pending = pending_begin(session);

	if (!pending)
		return;
	pending->next = next;
	send_bytes(session, text, strlen(text));
}

void pending_send_copy(struct session *session, const char *text, pending_step *next)
{
	struct pending *pending = pending_begin(session);

	if (!pending)
		return;
	pending->next = next;
	pending->copy = strdup(text);
	if (pending->copy)
		send_bytes(session, pending->copy, strlen(text));
	else
		session_fail(session, REFUSED_MEMORY, NULL);
}

static void on_banner(struct banner_wait *wait, struct banner *banner, int error)
{
	struct pending *pending = container_of(wait, struct pending, banner_wait);
	struct session *session = pending->session;
	const char *path = service_banner(session->settings, pending->which);

	pending->waits_for_banner = false;
	pending->banner = banner;
	if (!banner)
		log_failure(error, "service = %s, open of banner %s failed", session->settings->id,
			    path ? path : "");
	send_bytes(session, banner ? banner->bytes : "", banner ? banner->length : 0);
}

void pending_send_banner(struct session *session, enum banner_kind which, pending_step *next)
{
	struct pending *pending = pending_begin(session);

	if (!pending)
		return;
	pending->session = session;
	pending->which = which;
	pending->next = next;
	if (banner_find(&pending->banner_wait, session->service, which, on_banner) < 0)
		session_fail(session, REFUSED_MEMORY, NULL);
	else
		pending->waits_for_banner = true;
}

/* --- asking ------------------------------------------------------------------------------- */

static void on_names(void *context, const char *const *names)
{
	struct session *session = context;

	pending_end(session).next_names(session, names);
}

void pending_ask_names(struct session *session, pending_names_step *next)
{
	struct pending *pending = pending_begin(session);
	struct turn_owner owner = service_turn_owner(session->service);
	struct name_query *query;

	if (!pending)
		return;
	pending->next_names = next;
	query = host_names_find(&owner, &session->peer, on_names, session);
	if (query) /* NULL: next has been called, and pending is freed */
		pending->names = query;
}

static void on_libwrap(void *context, bool allowed)
{
	struct session *session = context;

	pending_end(session).next_libwrap(session, allowed);
}

void pending_ask_libwrap(struct session *session, pending_libwrap_step *next)
{
	struct pending *pending = pending_begin(session);

	if (!pending)
		return;
	pending->next_libwrap = next;
	pending->libwrap = ask_libwrap(session->service, &session->peer, session_local(session),
				       on_libwrap, session);
	if (!pending->libwrap) /* the request failed: refuse */
		on_libwrap(session, false);
}

static void on_identified(void *context, enum identify_result result, const char *user)
{
	struct session *session = context;

	session->user = user ? strdup(user) : NULL;
	pending_end(session).next_ident(session, result);
}

void pending_ask_ident(struct session *session, uint64_t deadline_ms, pending_ident_step *next)
{
	struct pending *pending = pending_begin(session);

	if (!pending)
		return;
	pending->next_ident = next;
	pending->ident = identify_start(session_local(session), &session->peer, deadline_ms,
					on_identified, session);
	if (!pending->ident)
		on_identified(session, IDENTIFY_SYSTEM_ERROR, NULL);
}

/* --- closing ------------------------------------------------------------------------------- */

void pending_linger(struct session *session)
{
	session_linger(session, LINGER_MS);
}
