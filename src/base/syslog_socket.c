#include "base/syslog_socket.h"

#include "base/own_name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum {
	HEAD_MAX = 96, /* priority, time and name before the text */
};

static struct {
	const char *path;
	int fd;
	time_t connect_at;
} syslogd = { .path = _PATH_LOG, .fd = -1 };

static int syslogd_open(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof address.sun_path, "%s", syslogd.path);
	syslogd.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (syslogd.fd < 0)
		return -1;
	return connect(syslogd.fd, (struct sockaddr *)&address, sizeof address);
}

static void syslogd_close(void)
{
	int error = errno;

	if (syslogd.fd >= 0)
		close(syslogd.fd);
	syslogd.fd = -1;
	errno = error;
}

void syslog_socket_use(const char *path)
{
	syslogd_close();
	syslogd.path = path;
	syslogd.connect_at = 0;
}

/* If syslogd does not run, connecting is tried only once a second, not for every line. */
static int syslogd_connect(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec < syslogd.connect_at) {
		errno = ENOTCONN;
		return -1;
	}
	if (syslogd_open() == 0)
		return 0;
	syslogd.connect_at = now.tv_sec + 1;
	syslogd_close();
	return -1;
}

static int syslogd_try(const char *datagram, size_t length)
{
	if (syslogd.fd < 0 && syslogd_connect() < 0)
		return -1;
	if (send(syslogd.fd, datagram, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno != EAGAIN && errno != ENOBUFS)
		syslogd_close();
	return -1;
}

/* The second attempt is for a syslogd that was restarted. */
static int syslogd_send(const char *datagram, size_t length)
{
	bool was_connected = syslogd.fd >= 0;

	if (syslogd_try(datagram, length) == 0)
		return 0;
	if (!was_connected || syslogd.fd >= 0)
		return -1;
	return syslogd_try(datagram, length);
}

/* The months are always those of the C locale (RFC 3164, 4.1.2). */
static size_t write_head(char *head, int priority, const struct tm *local)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	return (size_t)snprintf(head, HEAD_MAX, "<%d>%.3s %2d %02d:%02d:%02d %s[%d]: ", priority,
				months + 3 * local->tm_mon, local->tm_mday, local->tm_hour,
				local->tm_min, local->tm_sec, own_name(), (int)own_process());
}

int syslog_socket_send(int priority, const struct tm *local, const char *text, size_t length)
{
	char datagram[HEAD_MAX + SYSLOG_TEXT_MAX];
	size_t head = write_head(datagram, priority, local);

	if (length > SYSLOG_TEXT_MAX)
		length = SYSLOG_TEXT_MAX;
	memcpy(datagram + head, text, length);
	return syslogd_send(datagram, head + length);
}
