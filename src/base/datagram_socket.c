#include "base/datagram_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_to(struct datagram_socket *to)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "%s", to->path);
	to->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (to->fd < 0)
		return -1;
	return connect(to->fd, (struct sockaddr *)&address, sizeof address);
}

static void close_keeping_errno(struct datagram_socket *to)
{
	int error = errno;

	if (to->fd >= 0)
		close(to->fd);
	to->fd = -1;
	errno = error;
}

void datagram_socket_use(struct datagram_socket *to, const char *path)
{
	close_keeping_errno(to);
	to->path = path;
	to->connect_at = 0;
}

/* If that daemon does not run, connecting is tried only once a second, not for every line. */
static int connect_to(struct datagram_socket *to)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec < to->connect_at) {
		errno = ENOTCONN;
		return -1;
	}
	if (open_to(to) == 0)
		return 0;
	to->connect_at = now.tv_sec + 1;
	close_keeping_errno(to);
	return -1;
}

static int try_to_send(struct datagram_socket *to, const char *datagram, size_t length)
{
	if (to->fd < 0 && connect_to(to) < 0)
		return -1;
	if (send(to->fd, datagram, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno != EAGAIN && errno != ENOBUFS)
		close_keeping_errno(to);
	return -1;
}

/* The second attempt is for a daemon that was restarted. */
int datagram_socket_send(struct datagram_socket *to, const char *datagram, size_t length)
{
	bool was_connected = to->fd >= 0;

	if (try_to_send(to, datagram, length) == 0)
		return 0;
	if (!was_connected || to->fd >= 0)
		return -1;
	return try_to_send(to, datagram, length);
}
