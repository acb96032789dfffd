/* The datagram socket that syslogd listens on, one for the whole process.
 *
 * It is connected when the first message is sent, and again after a restart of syslogd.
 * Nothing here blocks or is kept for later: a message that can't be sent at once is
 * lost. Loop thread only. */
#ifndef USHERD_BASE_SYSLOG_SOCKET_H
#define USHERD_BASE_SYSLOG_SOCKET_H

#include <stddef.h>
#include <time.h>

enum {
	SYSLOG_TEXT_MAX = 8 * 1024, /* bytes of text in a message; the rest is cut */
};

/* Where syslogd listens, /dev/log unless told otherwise; path stays the
 * caller's and must last. Closes the current connection. */
void syslog_socket_use(const char *path);

/* Sends text as RFC 3164 has it: "<PRIORITY>Feb  3 07:07:01 NAME[PID]: TEXT",
 * with the caller's local time. priority is a facility and a level (LOG_MAKEPRI).
 * Returns 0, or -1 with errno: EAGAIN when syslogd does not read, the error of
 * connect(2) when it does not run, and ENOTCONN for up to a second after that, because
 * connect(2) is not tried again that soon. */
int syslog_socket_send(int priority, const struct tm *local, const char *text, size_t length);

#endif
