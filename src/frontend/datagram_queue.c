#include "frontend/datagram_queue.h"

#include "frontend/datagrams.h"

#include <sys/socket.h>

enum {
	HELD_MAX = 16,   /* datagrams that wait for their senders' names; more would fill the
			   * kernel's queue, so the first is refused */
	LOOKS_MAX = 256, /* to find a datagram again that was seen in the queue */
	REST_MS = 20,
};

/* Sets the offset in bytes of the next peek into the queue; -1: the front. */
static bool look_at(int fd, int offset)
{
	return setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset) == 0;
}

/* The datagram stays in the queue. sender is unknown when there is none. Returns the
 * datagram's length. */
static int peek(int fd, struct address *sender)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof storage;
	char byte;
	ssize_t size = recvfrom(fd, &byte, sizeof byte, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT,
				(struct sockaddr *)&storage, &length);

	*sender = address_from_sockaddr((struct sockaddr *)&storage, size < 0 ? 0 : length);
	return size < 0 ? 0 : (int)size;
}

static bool is_same_sender(const struct address *one, const struct address *other)
{
	return address_same_host(one, other) && address_port(one) == address_port(other);
}

static void refuse_front(struct listener *listener)
{
	struct address sender;
	char byte;

	peek(listener->watch.fd, &sender);
	if (recv(listener->watch.fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0)
		datagrams_refuse(listener->service, &sender);
}

/* Refuses the datagrams before sender's; false when sender's is not in the queue. */
static bool bring_to_front(struct listener *listener, const struct address *sender)
{
	struct address front;

	for (int i = 0; i < LOOKS_MAX; i++) {
		peek(listener->watch.fd, &front);
		if (is_same_sender(&front, sender))
			return true;
		if (!address_is_known(&front))
			break;
		refuse_front(listener);
	}
	return false;
}

/* Looks for an admitted sender behind the first datagram, which ends at offset. *held:
 * how many datagrams it has looked at, the first included. (Empty ones count once: the
 * kernel skips them after one peek.) */
static bool search(struct listener *listener, int offset, struct address *sender, int *held)
{
	int fd = listener->watch.fd;

	for (*held = 1; *held < HELD_MAX && look_at(fd, offset); ++*held) {
		offset += peek(fd, sender);
		if (!address_is_known(sender))
			break;
		if (datagrams_judge(listener->service, sender).verdict == ADMITTED)
			return true;
	}
	return false;
}

/* True: the lists admit *sender, whose datagram is now at the front. When too many
 * datagrams wait, the first is refused, and the next look follows at once. */
static bool look_past_front(struct listener *listener, int length, struct address *sender)
{
	int held;
	bool is_found = search(listener, length, sender, &held);

	look_at(listener->watch.fd, -1);
	if (is_found)
		return bring_to_front(listener, sender);
	if (held == HELD_MAX)
		refuse_front(listener);
	else
		listener_pause(listener, REST_MS);
	return false;
}

bool datagram_queue_front(struct listener *listener, struct address *sender)
{
	int length = peek(listener->watch.fd, sender);

	if (!address_is_known(sender))
		return false;
	if (!look_at(listener->watch.fd, -1)) /* this kind of socket has no peek offset */
		return true;
	if (!datagrams_judge(listener->service, sender).needs_names)
		return true;
	return look_past_front(listener, length, sender);
}
