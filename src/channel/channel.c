#include "channel/channel.h"

#include "base/container_of.h"
#include "base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A message that waits for room in the socket. */
struct channel_message {
	STAILQ_ENTRY(channel_message) link;
	int descriptors[MESSAGE_DESCRIPTORS_MAX]; /* its own */
	unsigned count;
	struct message message; /* only as much of it as its kind has */
};

/* Messages are sent together if each has the least descriptors of its kind, which is at most
 * one. */
enum { PACKET_MESSAGES = 32, JOINED_SIZE = 192 /* of a message that is joined, at most */ };

/* Room for more descriptors than any packet has, so that too many are detected. The
 * kernel fills the padding too. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE((PACKET_MESSAGES + 1) * sizeof(int))];
};

/* What is sent at once: one message or several. */
struct packet {
	struct iovec messages[PACKET_MESSAGES];
	size_t message_count;
	int descriptors[PACKET_MESSAGES];
	unsigned count; /* of descriptors */
};

/* Messages that will be sent together. */
struct channel_joined {
	struct packet packet;
	alignas(struct message) unsigned char messages[PACKET_MESSAGES][JOINED_SIZE];
};

enum { DESCRIPTORS_COME_MAX = (sizeof(union control) - CMSG_LEN(0)) / sizeof(int) };

int channel_pair(int ends[static 2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

void channel_close_descriptors(const int descriptors[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		descriptor_close(descriptors[i]);
}

static void drop_first(struct channel *channel, size_t count)
{
	for (; count > 0; count--) {
		struct channel_message *message = STAILQ_FIRST(&channel->waiting);

		STAILQ_REMOVE_HEAD(&channel->waiting, link);
		channel->waiting_count--;
		channel_close_descriptors(message->descriptors, message->count);
		free(message);
	}
}

static void packet_clear(struct packet *packet)
{
	packet->message_count = packet->count = 0;
}

bool channel_is_open(const struct channel *channel)
{
	return channel->watch.fd >= 0;
}

void channel_close(struct channel *channel)
{
	if (!channel_is_open(channel))
		return;
	watch_stop(&channel->watch);
	close(channel->watch.fd);
	channel->watch.fd = -1;
	drop_first(channel, channel->waiting_count);
	if (channel->joined)
		packet_clear(&channel->joined->packet);
}

static void fail(struct channel *channel, const char *reason)
{
	channel_close(channel);
	channel->events->closed(channel, reason);
}

/* --- sending ------------------------------------------------------------------------- */

static void packet_add(struct packet *packet, const struct message *message,
		       const int descriptors[], unsigned count)
{
	packet->messages[packet->message_count++] =
		(struct iovec){ (void *)(uintptr_t)message, message_shape(message->kind)->size };
	if (count > 0)
		memcpy(packet->descriptors + packet->count, descriptors, count * sizeof(int));
	packet->count += count;
}

/* 0, or -1 with errno; EAGAIN: there is no room now. */
static int packet_send(int fd, struct packet *packet)
{
	size_t size = packet->count * sizeof(int);
	union control control = { .header = { .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS,
					      .cmsg_len = CMSG_LEN(size) } };
	struct msghdr header = { .msg_iov = packet->messages, .msg_iovlen = packet->message_count };

	if (size > 0) {
		memcpy(CMSG_DATA(&control.header), packet->descriptors, size);
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(size);
	}
	if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* The user has too many descriptors in flight: a temporary failure. */
	if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == EINTR)
		errno = EAGAIN;
	return -1;
}

static int send_now(int fd, const struct message *message, const int descriptors[], unsigned count)
{
	struct packet packet;

	packet_clear(&packet);
	packet_add(&packet, message, descriptors, count);
	return packet_send(fd, &packet);
}

static struct channel_message *message_keep(const struct message *message, const int descriptors[],
					    unsigned count)
{
	size_t size = message_shape(message->kind)->size;
	struct channel_message *kept = calloc(1, offsetof(struct channel_message, message) + size);

	if (!kept)
		return NULL;
	memcpy(&kept->message, message, size);
	for (; kept->count < count; kept->count++) {
		int copy = fcntl(descriptors[kept->count], F_DUPFD_CLOEXEC, 0);

		if (copy < 0) {
			channel_close_descriptors(kept->descriptors, kept->count);
			free(kept);
			return NULL;
		}
		kept->descriptors[kept->count] = copy;
	}
	return kept;
}

/* Keeps the message until there is room for it. */
static int keep_waiting(struct channel *channel, const struct message *message,
			const int descriptors[], unsigned count)
{
	struct channel_message *kept;

	if (channel->waiting_count >= CHANNEL_WAITING_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	kept = message_keep(message, descriptors, count);
	if (!kept)
		return -1;
	STAILQ_INSERT_TAIL(&channel->waiting, kept, link);
	channel->waiting_count++;
	return watch_start(&channel->watch, LOOP_READ | LOOP_WRITE);
}

static bool can_be_joined(const struct message *message, unsigned count)
{
	return count == message_shape(message->kind)->descriptors_min;
}

/* The first of the messages that wait, and those that can be sent with it; not more than
 * most. */
static void packet_fill(struct packet *packet, const struct channel *channel, size_t most)
{
	const struct channel_message *message = STAILQ_FIRST(&channel->waiting);
	bool joins = can_be_joined(&message->message, message->count);

	packet_clear(packet);
	do {
		packet_add(packet, &message->message, message->descriptors, message->count);
		message = STAILQ_NEXT(message, link);
	} while (message && joins && can_be_joined(&message->message, message->count) &&
		 packet->message_count < most);
}

/* 0, or -1 with errno; EAGAIN: there is no room for the rest now. The system's buffers may
 * be too small for a packet of many messages. */
static int send_waiting(struct channel *channel)
{
	size_t most = PACKET_MESSAGES;
	struct packet packet;

	while (!STAILQ_EMPTY(&channel->waiting)) {
		packet_fill(&packet, channel, most);
		if (packet_send(channel->watch.fd, &packet) == 0)
			drop_first(channel, packet.message_count);
		else if (errno == EMSGSIZE && packet.message_count > 1)
			most = packet.message_count / 2;
		else
			return -1;
	}
	return 0;
}

static void send_waiting_or_fail(struct channel *channel)
{
	if (send_waiting(channel) < 0) {
		if (errno != EAGAIN)
			fail(channel, "the other end is gone");
	} else if (watch_start(&channel->watch, LOOP_READ) < 0) {
		fail(channel, "out of memory");
	}
}

/* Keeps each message of the packet, with copies of the descriptors. */
static int keep_packet(struct channel *channel, const struct packet *packet)
{
	const int *descriptors = packet->descriptors;

	for (size_t i = 0; i < packet->message_count; i++) {
		const struct message *message = packet->messages[i].iov_base;
		unsigned count = message_shape(message->kind)->descriptors_min;

		if (keep_waiting(channel, message, descriptors, count) < 0)
			return -1;
		descriptors += count;
	}
	return 0;
}

int channel_flush(struct channel *channel)
{
	struct packet *packet = channel->joined ? &channel->joined->packet : NULL;
	int result = 0;

	if (!packet || packet->message_count == 0)
		return 0;
	if (!STAILQ_EMPTY(&channel->waiting) || packet_send(channel->watch.fd, packet) < 0) {
		bool is_full =
			!STAILQ_EMPTY(&channel->waiting) || errno == EAGAIN || errno == EMSGSIZE;

		result = is_full ? keep_packet(channel, packet) : -1;
	}
	packet_clear(packet);
	return result;
}

int channel_lend(struct channel *channel, const struct message *message, const int descriptors[],
		 unsigned count)
{
	struct channel_joined *joined = channel->joined;
	size_t size = message_shape(message->kind)->size;
	void *copy;

	if (!joined || !channel_is_open(channel) || size > JOINED_SIZE ||
	    !can_be_joined(message, count))
		return channel_send(channel, message, descriptors, count);
	copy = memcpy(joined->messages[joined->packet.message_count], message, size);
	packet_add(&joined->packet, copy, descriptors, count);
	return joined->packet.message_count == PACKET_MESSAGES ? channel_flush(channel) : 0;
}

void channel_join(struct channel *channel)
{
	if (channel->joins++ > 0)
		return;
	channel->joined = malloc(sizeof *channel->joined);
	if (channel->joined)
		packet_clear(&channel->joined->packet);
}

int channel_part(struct channel *channel)
{
	int result, error;

	if (--channel->joins > 0)
		return 0;
	result = channel_flush(channel);
	error = errno;
	free(channel->joined);
	channel->joined = NULL;
	errno = error;
	return result;
}

int channel_send(struct channel *channel, const struct message *message, const int descriptors[],
		 unsigned count)
{
	if (!channel_is_open(channel)) {
		errno = EPIPE;
		return -1;
	}
	if (channel_flush(channel) < 0)
		return -1;
	if (STAILQ_EMPTY(&channel->waiting)) {
		if (send_now(channel->watch.fd, message, descriptors, count) == 0)
			return 0;
		if (errno != EAGAIN)
			return -1;
	}
	return keep_waiting(channel, message, descriptors, count);
}

/* --- receiving ------------------------------------------------------------------------ */

/* A received packet and its descriptors. */
struct received {
	unsigned char bytes[PACKET_MESSAGES * sizeof(struct message)];
	ssize_t size;
	int flags;
	int descriptors[DESCRIPTORS_COME_MAX];
	unsigned count;
};

/* There is only one header, and only of this kind: a unix socket passes credentials only
 * on request. */
static void take_descriptors(struct received *received, struct msghdr *header)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	size_t bytes;

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
		return;
	bytes = control->cmsg_len - CMSG_LEN(0);
	if (bytes > sizeof received->descriptors)
		bytes = sizeof received->descriptors;
	memcpy(received->descriptors, CMSG_DATA(control), bytes);
	received->count = (unsigned)(bytes / sizeof(int));
}

/* An end that was closed before all was read there is told here once, by ECONNRESET, before what it
 * has sent. False when there is no packet; with received->size 0 or less the channel has ended. */
static bool receive(int fd, struct received *received)
{
	union control control;
	struct iovec vector = { received->bytes, sizeof received->bytes };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control };

	received->size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (received->size < 0 && errno == ECONNRESET)
		received->size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (received->size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	received->flags = header.msg_flags;
	received->count = 0;
	if (received->size >= 0)
		take_descriptors(received, &header);
	return true;
}

/* The shape of the message that begins there; NULL: its kind is unknown. */
static const struct message_shape *shape_at(const struct channel *channel,
					    const struct received *received, size_t at)
{
	enum message_kind kind;

	memcpy(&kind, received->bytes + at, sizeof kind);
	if ((unsigned)kind < channel->first_kind || (unsigned)kind > channel->last_kind)
		return NULL;
	return message_shape((unsigned)kind);
}

/* What is wrong with the packet; NULL: nothing. */
static const char *fault(const struct channel *channel, const struct received *received)
{
	size_t size = received->size > 0 ? (size_t)received->size : 0, at, messages = 0;
	unsigned least = 0, most = 0;

	if (size == 0)
		return "the other end is gone";
	if (size < sizeof(enum message_kind))
		return "a message without a kind";
	for (at = 0; size - at >= sizeof(enum message_kind); messages++) {
		const struct message_shape *shape = shape_at(channel, received, at);

		if (!shape)
			return "a message of an unknown kind";
		if (size - at < shape->size)
			break;
		at += shape->size;
		least += shape->descriptors_min;
		most += shape->descriptors_max;
	}
	if (at < size || messages > PACKET_MESSAGES || (received->flags & MSG_TRUNC))
		return "a message of the wrong size";
	if (received->count > (messages > 1 ? least : most) ||
	    (received->count < least && !(received->flags & MSG_CTRUNC)))
		return "a message with the wrong number of descriptors";
	return NULL;
}

static bool holds_several(const struct received *received)
{
	enum message_kind kind;

	memcpy(&kind, received->bytes, sizeof kind);
	return (size_t)received->size > message_shape((unsigned)kind)->size;
}

/* Gives the owner each message of a sound packet. Returns how many. */
static int deliver(struct channel *channel, const struct received *received)
{
	size_t size = (size_t)received->size;
	unsigned given = 0, count;
	int messages = 0;

	for (size_t at = 0; at < size && channel_is_open(channel); given += count, messages++) {
		const struct message_shape *shape = shape_at(channel, received, at);
		struct message message = { .kind = MESSAGE_KINDS };

		memcpy(&message, received->bytes + at, shape->size);
		at += shape->size;
		count = at < size ? shape->descriptors_min : received->count - given;
		channel->events->received(channel, &message, received->descriptors + given, count);
	}
	channel_close_descriptors(received->descriptors + given, received->count - given);
	return messages;
}

/* Answers to messages that came together may be sent together. */
static int deliver_all(struct channel *channel, const struct received *received)
{
	int messages;

	if (!holds_several(received))
		return deliver(channel, received);
	channel_join(channel);
	messages = deliver(channel, received);
	if (channel_part(channel) < 0 && channel_is_open(channel))
		fail(channel, "the other end is gone, or does not read");
	return messages;
}

/* Gives the owner a sound message that has lost some of its descriptors, or fails. */
static void deliver_without(struct channel *channel, const struct received *received)
{
	bool (*take)(const struct message *message) = channel->events->without_descriptors;
	struct message message = { .kind = MESSAGE_KINDS };

	channel_close_descriptors(received->descriptors, received->count);
	memcpy(&message, received->bytes,
	       (size_t)received->size < sizeof message ? (size_t)received->size : sizeof message);
	if (!take || holds_several(received) || !take(&message))
		fail(channel, "no descriptors are left for those of a message");
}

/* A sound one. Returns how many messages it had. */
static int deliver_packet(struct channel *channel, const struct received *received)
{
	if (!(received->flags & MSG_CTRUNC))
		return deliver_all(channel, received);
	deliver_without(channel, received);
	return 1;
}

static void read_messages(struct channel *channel)
{
	struct received received;
	int read = 0;

	while (read < CHANNEL_PER_TURN && channel_is_open(channel)) {
		const char *reason;

		if (!receive(channel->watch.fd, &received))
			return;
		reason = fault(channel, &received);
		if (reason) {
			channel_close_descriptors(received.descriptors, received.count);
			fail(channel, reason);
			return;
		}
		read += deliver_packet(channel, &received);
	}
}

/* A child of the other end may have it still. It can send no more. */
void channel_drain(struct channel *channel)
{
	struct received received;

	if (channel_is_open(channel))
		shutdown(channel->watch.fd, SHUT_RD);
	while (channel_is_open(channel) && receive(channel->watch.fd, &received)) {
		if (fault(channel, &received)) { /* its end is one, too */
			channel_close_descriptors(received.descriptors, received.count);
			return;
		}
		deliver_packet(channel, &received);
	}
}

static void on_ready(struct watch *watch, short events)
{
	struct channel *channel = container_of(watch, struct channel, watch);

	if (events & LOOP_WRITE)
		send_waiting_or_fail(channel);
	if (channel_is_open(channel) && (events & (LOOP_READ | POLLHUP | POLLERR)))
		read_messages(channel);
}

int channel_open(struct channel *channel, int fd, unsigned first_kind, unsigned last_kind,
		 const struct channel_events *events)
{
	*channel = (struct channel){
		.events = events,
		.first_kind = first_kind,
		.last_kind = last_kind,
	};
	STAILQ_INIT(&channel->waiting);
	watch_init(&channel->watch, fd, on_ready);
	if (watch_start(&channel->watch, LOOP_READ) == 0)
		return 0;
	channel->watch.fd = -1;
	return -1;
}

void channel_act(const struct channel_act acts[], const struct message *message,
		 const int descriptors[], unsigned count)
{
	const struct channel_act *act = &acts[message->kind];

	if (act->take_with)
		act->take_with(message, descriptors, count);
	else
		act->take(message);
}
