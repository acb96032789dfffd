#include "base/syslog_socket.h"

#include "base/datagram_socket.h"
#include "base/own_name.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum {
	HEAD_MAX = 96, /* priority, time and name before the text */
};

static struct datagram_socket syslogd = { .path = _PATH_LOG, .fd = -1 };

void syslog_socket_use(const char *path)
{
	datagram_socket_use(&syslogd, path);
}

/* The months are always those of the C locale (RFC 3164, 4.1.2). */
static size_t write_head(char *head, int priority, const struct tm *local)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	return (size_t)snprintf(head, HEAD_MAX, "<%d>%.3s %2d %02d:%02d:%02d %s[%d]: ", priority,
				months + 3 * local->tm_mon, local->tm_mday, local->tm_hour,
				local->tm_min, local->tm_sec, own_tag(), (int)own_process());
}

int syslog_socket_send(int priority, const struct tm *local, const char *text, size_t length)
{
	char datagram[HEAD_MAX + SYSLOG_TEXT_MAX];
	size_t head = write_head(datagram, priority, local);

	if (length > SYSLOG_TEXT_MAX)
		length = SYSLOG_TEXT_MAX;
	memcpy(datagram + head, text, length);
	return datagram_socket_send(&syslogd, datagram, head + length);
}
