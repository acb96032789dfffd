#include "channel/channel.h"

#include "base/container_of.h"
#include "base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
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

/* Room for more descriptors than any message has, so that too many are detected. The
 * kernel fills the padding too. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE((MESSAGE_DESCRIPTORS_MAX + 1) * sizeof(int))];
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

static void drop_waiting(struct channel *channel)
{
	while (!STAILQ_EMPTY(&channel->waiting)) {
		struct channel_message *message = STAILQ_FIRST(&channel->waiting);

		STAILQ_REMOVE_HEAD(&channel->waiting, link);
		channel_close_descriptors(message->descriptors, message->count);
		free(message);
	}
	channel->waiting_count = 0;
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
	drop_waiting(channel);
}

static void fail(struct channel *channel, const char *reason)
{
	channel_close(channel);
	channel->events->closed(channel, reason);
}

/* --- sending ------------------------------------------------------------------------- */

/* 0, or -1 with errno; EAGAIN: there is no room now. */
static int send_now(int fd, const struct message *message, const int descriptors[], unsigned count)
{
	union control control = { .header = { .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS,
					      .cmsg_len = CMSG_LEN(count * sizeof(int)) } };
	struct iovec vector = { (void *)(uintptr_t)message, message_shape(message->kind)->size };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (count > 0) {
		memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* The user has too many descriptors in flight: a temporary failure. */
	if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == EINTR)
		errno = EAGAIN;
	return -1;
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

static int wait_for_room(struct channel *channel, const struct message *message,
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

int channel_send(struct channel *channel, const struct message *message, const int descriptors[],
		 unsigned count)
{
	if (!channel_is_open(channel)) {
		errno = EPIPE;
		return -1;
	}
	if (STAILQ_EMPTY(&channel->waiting)) {
		if (send_now(channel->watch.fd, message, descriptors, count) == 0)
			return 0;
		if (errno != EAGAIN)
			return -1;
	}
	return wait_for_room(channel, message, descriptors, count);
}

static void send_waiting(struct channel *channel)
{
	struct channel_message *message;

	while ((message = STAILQ_FIRST(&channel->waiting))) {
		if (send_now(channel->watch.fd, &message->message, message->descriptors,
			     message->count) < 0) {
			if (errno != EAGAIN)
				fail(channel, "the other end is gone");
			return;
		}
		STAILQ_REMOVE_HEAD(&channel->waiting, link);
		channel->waiting_count--;
		channel_close_descriptors(message->descriptors, message->count);
		free(message);
	}
	if (watch_start(&channel->watch, LOOP_READ) < 0)
		fail(channel, "out of memory");
}

/* --- receiving ------------------------------------------------------------------------ */

/* A received message and its descriptors. */
struct arrival {
	struct message message;
	ssize_t size;
	int flags;
	int descriptors[DESCRIPTORS_COME_MAX];
	unsigned count;
};

/* There is only one header, and only of this kind: a unix socket passes credentials only
 * on request. */
static void take_descriptors(struct arrival *arrival, struct msghdr *header)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	size_t bytes;

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
		return;
	bytes = control->cmsg_len - CMSG_LEN(0);
	if (bytes > sizeof arrival->descriptors)
		bytes = sizeof arrival->descriptors;
	memcpy(arrival->descriptors, CMSG_DATA(control), bytes);
	arrival->count = (unsigned)(bytes / sizeof(int));
}

/* False when there is no message; with arrival->size 0 or less the channel has ended. */
static bool receive(int fd, struct arrival *arrival)
{
	union control control;
	struct iovec vector = { &arrival->message, sizeof arrival->message };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control };

	arrival->size = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (arrival->size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	arrival->flags = header.msg_flags;
	if (arrival->size >= 0)
		take_descriptors(arrival, &header);
	return true;
}

/* What is wrong with the message; NULL: nothing. */
static const char *fault(const struct channel *channel, const struct arrival *arrival)
{
	unsigned kind = (unsigned)arrival->message.kind;
	const struct message_shape *shape;

	if (arrival->size <= 0)
		return "the other end is gone";
	if (arrival->size < (ssize_t)sizeof arrival->message.kind)
		return "a message without a kind";
	if (kind < channel->first_kind || kind > channel->last_kind)
		return "a message of an unknown kind";
	shape = message_shape(kind);
	if ((size_t)arrival->size != shape->size || (arrival->flags & MSG_TRUNC))
		return "a message of the wrong size";
	if ((arrival->flags & MSG_CTRUNC) || arrival->count < shape->descriptors_min ||
	    arrival->count > shape->descriptors_max)
		return "a message with the wrong number of descriptors";
	return NULL;
}

static void read_messages(struct channel *channel)
{
	for (int read = 0; read < CHANNEL_PER_TURN && channel_is_open(channel); read++) {
		struct arrival arrival = { .message.kind = MESSAGE_KINDS };
		const char *reason;

		if (!receive(channel->watch.fd, &arrival))
			return;
		reason = fault(channel, &arrival);
		if (reason) {
			channel_close_descriptors(arrival.descriptors, arrival.count);
			fail(channel, reason);
			return;
		}
		channel->events->received(channel, &arrival.message, arrival.descriptors,
					  arrival.count);
	}
}

static void on_ready(struct watch *watch, short events)
{
	struct channel *channel = container_of(watch, struct channel, watch);

	if (events & LOOP_WRITE)
		send_waiting(channel);
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
