/* A datagram socket of the UNIX domain to a daemon that takes log lines: syslogd or journald.
 *
 * It is connected when the first datagram is sent, and again after a restart of that daemon.
 * Nothing here blocks or is kept for later: what can't be sent at once is lost. Loop thread
 * only. */
#ifndef USHERD_BASE_DATAGRAM_SOCKET_H
#define USHERD_BASE_DATAGRAM_SOCKET_H

#include <stddef.h>
#include <time.h>

struct datagram_socket {
	const char *path; /* the owner's */
	int fd;           /* -1 at first */
	time_t connect_at;
};

/* Sends to another path from now on, which stays the caller's and must last. */
void datagram_socket_use(struct datagram_socket *socket, const char *path);

/* 0, or -1 with errno: EAGAIN when that daemon does not read, the error of connect(2) when it does
 * not run, and ENOTCONN for up to a second after that, because connect(2) is not tried again
 * that soon. */
int datagram_socket_send(struct datagram_socket *socket, const char *datagram, size_t length);

#endif
