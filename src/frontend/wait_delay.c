#include "frontend/wait_delay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FRONT_MAX = 512 }; /* bytes of a datagram that are hashed */

/* FNV-1a. */
static uint64_t hash(uint64_t value, const void *bytes, size_t length)
{
	const unsigned char *each = bytes;

	for (size_t i = 0; i < length; i++)
		value = (value ^ each[i]) * 0x100000001b3u;
	return value;
}

/* Turns timestamps of datagrams on or off; returns whether they were on. */
static int tell_time(int socket, int on)
{
	int before = 0;

	getsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &before, &(socklen_t){ sizeof before });
	setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	return before;
}

/* A hash of the datagram at the front of the queue. It includes the time of arrival, so
 * that equal datagrams differ; 0: the queue is empty. */
static uint64_t front_datagram(int socket)
{
	unsigned char bytes[FRONT_MAX], control[256] = { 0 };
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	struct iovec data = { bytes, sizeof bytes };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	int before = tell_time(socket, 1);
	ssize_t length = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);
	uint64_t value = 0xcbf29ce484222325u;

	tell_time(socket, before);
	if (length < 0)
		return 0;
	value = hash(value, control, message.msg_controllen);
	value = hash(value, &from, sizeof from);
	value = hash(value, &length, sizeof length);
	return hash(value, bytes, length < FRONT_MAX ? (size_t)length : FRONT_MAX);
}

/* How many connections this host has accepted since it started; -1: not known. */
static int64_t connections_had(void)
{
	FILE *counters = fopen("/proc/net/snmp", "re");
	char line[512];
	long long count = -1;

	if (!counters)
		return -1;
	/* The first line with "Tcp:" has the names: ... ActiveOpens PassiveOpens */
	while (count < 0 && fgets(line, sizeof line, counters))
		if (sscanf(line, "Tcp: %*d %*d %*d %*d %*d %lld", &count) != 1)
			count = -1;
	fclose(counters);
	return count;
}

/* True for a socket that accepts connections; *queued: how many wait in its queue. */
static bool accepts(int socket, uint64_t *queued)
{
	struct tcp_info info = { .tcpi_unacked = 0 };
	socklen_t size = sizeof info;
	int listens = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens,
		       &(socklen_t){ sizeof listens }) < 0 ||
	    !listens)
		return false;
	*queued =
		getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? 0 : info.tcpi_unacked;
	return true;
}

void wait_delay_begin(struct wait_delay *delay, int socket)
{
	delay->had = connections_had();
	delay->is_stream = accepts(socket, &delay->front);
	if (!delay->is_stream)
		delay->front = front_datagram(socket);
}

enum reading { READ_NOTHING, READ_SOMETHING, NOT_KNOWN };

/* New connections may hide that some were accepted. At most as many came as the host had
 * since then: if the queue has grown by less than that, the answer is not known. */
static enum reading accepted(const struct wait_delay *delay, uint64_t queued)
{
	int64_t had = connections_had();

	if (queued < delay->front)
		return READ_SOMETHING;
	if (had < 0 || delay->had < 0 || queued - delay->front < (uint64_t)(had - delay->had))
		return NOT_KNOWN;
	return READ_NOTHING;
}

static enum reading reading_of(const struct wait_delay *delay, int socket)
{
	uint64_t queued;

	if (delay->front == 0)
		return READ_SOMETHING;
	if (delay->is_stream)
		return accepts(socket, &queued) ? accepted(delay, queued) : READ_SOMETHING;
	return front_datagram(socket) == delay->front ? READ_NOTHING : READ_SOMETHING;
}

/* Milliseconds before the next server, after idle servers in a row that read nothing. */
static uint64_t wait_after(unsigned idle)
{
	uint64_t wait;

	if (idle < 2)
		return 0;
	wait = (uint64_t)WAIT_DELAY_FIRST_MS << (idle < 12 ? idle - 2 : 10);
	return wait < WAIT_DELAY_MAX_MS ? wait : WAIT_DELAY_MAX_MS;
}

uint64_t wait_delay_end(struct wait_delay *delay, int socket, uint64_t lasted)
{
	enum reading reading = lasted >= WAIT_QUICK_MS ? READ_SOMETHING : reading_of(delay, socket);

	if (reading == READ_SOMETHING)
		delay->idle = 0;
	if (reading == READ_NOTHING)
		delay->idle++;
	delay->is_first = reading == READ_NOTHING && delay->idle == 2;
	return wait_after(delay->idle);
}
