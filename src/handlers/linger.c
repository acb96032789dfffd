#include "handlers/linger.h"

#include "base/container_of.h"
#include "base/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE = 1 << 20 }; /* dropped in one turn of the loop; no byte is copied */

static TAILQ_HEAD(, lingering) all = TAILQ_HEAD_INITIALIZER(all); /* by age */
static unsigned count;

void linger_stop(struct lingering *lingering)
{
	if (!lingering->is_started)
		return;
	lingering->is_started = false;
	watch_stop(&lingering->watch);
	timer_stop(&lingering->deadline);
	TAILQ_REMOVE(&all, lingering, link);
	count--;
}

static void finish(struct lingering *lingering)
{
	linger_stop(lingering);
	lingering->done(lingering);
}

/* Drops what has arrived. False: the peer has closed too, or sends too much. */
static bool drop(struct lingering *lingering)
{
	size_t most = lingering->left < PIECE ? lingering->left : PIECE;
	ssize_t length = recv(lingering->watch.fd, NULL, most, MSG_TRUNC | MSG_DONTWAIT);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	lingering->left -= (size_t)length;
	return length > 0 && lingering->left > 0;
}

static void on_input(struct watch *watch, short events)
{
	struct lingering *lingering = container_of(watch, struct lingering, watch);

	(void)events;
	if (!drop(lingering))
		finish(lingering);
}

/* Those that are too many end with it. */
static void on_deadline(struct timer *timer)
{
	finish(container_of(timer, struct lingering, deadline));
	while (count > LINGERING_MAX)
		finish(TAILQ_FIRST(&all));
}

/* In the next turn: whoever starts another one may be walking through the sessions. */
static void end_oldest_soon(void)
{
	if (count > LINGERING_MAX)
		timer_start(&TAILQ_FIRST(&all)->deadline, 0);
}

bool linger_start(struct lingering *lingering, int fd, uint64_t ms, const void *owner,
		  linger_done *done)
{
	watch_init(&lingering->watch, fd, on_input);
	lingering->left = LINGER_BYTES_MAX;
	if (shutdown(fd, SHUT_WR) < 0 || !drop(lingering) ||
	    watch_start(&lingering->watch, LOOP_READ) < 0)
		return false;
	lingering->owner = owner;
	lingering->done = done;
	lingering->is_started = true;
	timer_init(&lingering->deadline, on_deadline);
	timer_start(&lingering->deadline, ms);
	TAILQ_INSERT_TAIL(&all, lingering, link);
	count++;
	end_oldest_soon();
	return true;
}

bool linger_make_room(const void *owner)
{
	struct lingering *lingering;

	TAILQ_FOREACH(lingering, &all, link)
		if (lingering->owner == owner) {
			finish(lingering);
			return true;
		}
	return false;
}

/* --- a whole session ------------------------------------------------------------------------ */

struct session_end {
	struct lingering lingering;
	struct session *session;
};

static void on_session_closed(struct session *session)
{
	struct session_end *end = session->handler_data;

	linger_stop(&end->lingering);
	free(end);
}

static void on_done(struct lingering *lingering)
{
	session_close(container_of(lingering, struct session_end, lingering)->session);
}

void session_linger(struct session *session, uint64_t ms)
{
	struct session_end *end = calloc(1, sizeof *end);

	watch_stop(&session->watch);
	timer_stop(&session->deadline);
	if (end)
		end->session = session;
	if (!end || !linger_start(&end->lingering, session->fd, ms, session->service, on_done)) {
		free(end);
		session_close(session);
		return;
	}
	session->handler_data = end;
	session->stop = on_session_closed;
}
