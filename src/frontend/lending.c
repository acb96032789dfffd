#include "frontend/lending.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "frontend/service.h"

#include <fcntl.h>
#include <unistd.h>

/* Accepts one connection without blocking, from a socket that blocks. A process that an
 * earlier server left behind may have accepted it already. */
static int accept_at_once(int socket)
{
	int flags = fcntl(socket, F_GETFL), fd;

	if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	fcntl(socket, F_SETFL, flags);
	return fd;
}

void lending_dismiss_one(const struct listener *listener)
{
	int fd = -1;

	if (!listener_is_open(listener))
		return;
	if (service_is_stream(listener->service->settings))
		fd = accept_at_once(listener->watch.fd);
	else
		recv(listener->watch.fd, NULL, 0, MSG_DONTWAIT);
	if (fd >= 0)
		descriptor_close(fd); /* an earlier server may have set SO_LINGER */
}

/* Without a delay, a program that fails at once would be started again for ever. */
static void delay_next_server(struct listener *listener, const struct session *session)
{
	uint64_t wait = 0;

	if (listener_is_open(listener))
		wait = wait_delay_end(&listener->delay, listener->watch.fd,
				      clock_now() - session->opened);
	if (wait == 0)
		return;
	if (listener->delay.is_first)
		log_warning(
			"service %s: %s ends and leaves unread what it was started for; starting "
			"it with growing delays",
			session->settings->id, session->settings->server);
	listener_pause(listener, (unsigned)wait);
}

void lending_begin(struct listener *listener, struct session *session)
{
	session->origin = listener;
	listener->server = session;
	listener->was_lent = true;
	listener_set_polled(listener, false);
}

void lending_end(struct session *session)
{
	struct listener *listener = session->origin;

	listener->server = NULL;
	if (!listener->service) /* the socket's next owner serves the peer */
		return;
	if (session->state < SESSION_SERVING)
		lending_dismiss_one(listener);
	else
		delay_next_server(listener, session);
	service_refresh(listener->service); /* after a reload maybe not the session's service */
}
