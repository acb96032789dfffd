#include "frontend/proxied.h"

#include "base/container_of.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE = 4096 }; /* bytes of a header that are taken in one turn */

/* A header on its way; in session->handler_data. */
struct reading {
	struct proxy_header header;
	proxied_step *next;
};

static void stop_reading(struct session *session)
{
	free(session->handler_data);
	session->handler_data = NULL;
	session->stop = NULL;
}

static void take_balancer(struct session *session)
{
	session->peer = session->proxy;
	session->proxy = (struct address){ .length = 0 };
}

static int take_client(struct session *session, const struct proxy_header *header)
{
	if (!address_is_known(&header->source)) {
		take_balancer(session);
		return 0;
	}
	if (header->has_facts) {
		session->facts = malloc(sizeof *session->facts);
		if (!session->facts)
			return -1;
		*session->facts = header->facts;
	}
	session->peer = header->source;
	session->local = header->destination;
	return 0;
}

static void finish(struct session *session, const char *fault)
{
	struct reading *reading = session->handler_data;
	proxied_step *next = reading->next;
	int result = fault ? 0 : take_client(session, &reading->header);

	watch_stop(&session->watch);
	timer_stop(&session->deadline);
	stop_reading(session);
	if (result < 0)
		session_fail(session, REFUSED_MEMORY, NULL);
	else
		next(session, fault);
}

/* The connection has ended, or is broken. */
static void end(struct session *session)
{
	const struct reading *reading = session->handler_data;

	if (reading->header.at == 0)
		session_close(session);
	else
		finish(session, "the connection ends within the PROXY header");
}

/* Looks at what has come, and takes only the header's part. If the header goes on, that is
 * all of it, so the loop does not wake again for the same bytes. */
static void receive(struct session *session)
{
	struct reading *reading = session->handler_data;
	unsigned char bytes[PIECE];
	ssize_t length = recv(session->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
	enum proxy_progress progress;
	size_t taken;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		end(session);
		return;
	}
	progress = proxy_header_take(&reading->header, bytes, (size_t)length, &taken);
	if (recv(session->fd, bytes, taken, MSG_DONTWAIT) != (ssize_t)taken)
		finish(session, "the PROXY header can't be read");
	else if (progress != PROXY_WAITS)
		finish(session, reading->header.fault);
}

static void on_readable(struct watch *watch, short events)
{
	(void)events;
	receive(container_of(watch, struct session, watch));
}

static void on_deadline(struct timer *timer)
{
	finish(container_of(timer, struct session, deadline), "no PROXY header comes in time");
}

void proxied_read(struct session *session, proxied_step *next)
{
	struct reading *reading = malloc(sizeof *reading);

	if (!reading) {
		session_fail(session, REFUSED_MEMORY, NULL);
		return;
	}
	proxy_header_begin(&reading->header, session->settings->admission->proxy_protocol);
	reading->next = next;
	session->handler_data = reading;
	session->stop = stop_reading;
	timer_init(&session->deadline, on_deadline);
	timer_start(&session->deadline, PROXIED_DEADLINE_MS);
	watch_init(&session->watch, session->fd, on_readable);
	if (watch_start(&session->watch, LOOP_READ) < 0)
		finish(session, "the PROXY header can't be waited for");
	else
		receive(session); /* the balancer may have sent it already */
}
