#include "server/wait_delay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

enum { FRONT_MOST = 512 }; /* bytes of a datagram that tell it from another */

/* FNV-1a. */
static uint64_t hash(uint64_t value, const void *bytes, size_t length)
{
	const unsigned char *each = bytes;

	for (size_t i = 0; i < length; i++)
		value = (value ^ each[i]) * 0x100000001b3u;
	return value;
}

/* Tells the datagram that is read next from any other; 0 when there is none. */
static uint64_t front_datagram(int socket)
{
	unsigned char bytes[FRONT_MOST];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	ssize_t length = recvfrom(socket, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC,
				  (struct sockaddr *)&from, &size);
	size_t kept = length < FRONT_MOST ? (size_t)length : FRONT_MOST;
	uint64_t value = 0xcbf29ce484222325u;

	if (length < 0)
		return 0;
	value = hash(value, &from, size < sizeof from ? size : sizeof from);
	value = hash(value, &length, sizeof length);
	return hash(value, bytes, kept);
}

/* True when socket is one that accepts connections; *queued: how many there are. */
static bool accepts(int socket, uint64_t *queued)
{
	struct tcp_info info = { .tcpi_unacked = 0 };
	socklen_t size = sizeof info;
	int listens = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &(socklen_t){ sizeof listens }) < 0
	    || !listens)
		return false;
	*queued = getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? 0 : info.tcpi_unacked;
	return true;
}

void wait_delay_begin(struct wait_delay *delay, int socket)
{
	if (!accepts(socket, &delay->front))
		delay->front = front_datagram(socket);
}

/* A connection is like any other: with as many as before, or more, none was taken. */
static bool read_nothing(const struct wait_delay *delay, int socket)
{
	uint64_t queued;

	if (delay->front == 0)
		return false;
	if (accepts(socket, &queued))
		return queued >= delay->front;
	return front_datagram(socket) == delay->front;
}

uint64_t wait_delay_end(struct wait_delay *delay, int socket, uint64_t lasted)
{
	uint64_t wait;

	if (lasted >= WAIT_QUICK_MS || !read_nothing(delay, socket)) {
		delay->idle = 0;
		return 0;
	}
	delay->idle++;
	if (delay->idle == 1)
		return 0;
	wait = (uint64_t)WAIT_DELAY_FIRST_MS << (delay->idle < 12 ? delay->idle - 2 : 10);
	return wait < WAIT_DELAY_MOST_MS ? wait : WAIT_DELAY_MOST_MS;
}
