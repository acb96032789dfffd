/* One end of the socket pair between the monitor and the frontend. Each message is
 * checked before the owner gets it: kind, size, number of descriptors.
 *
 * Usually each message is a packet of its own. Those that had to wait are sent several at
 * once, and so are those of channel_lend. In such a packet each message has the least number
 * of descriptors that its kind may have.
 * Loop thread only. */
#ifndef USHERD_CHANNEL_CHANNEL_H
#define USHERD_CHANNEL_CHANNEL_H

#include "base/loop.h"
#include "channel/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

enum {
	CHANNEL_PER_TURN = 64,       /* messages read in one turn, then the rest of a packet */
	CHANNEL_WAITING_MAX = 16384, /* messages that wait for room in the socket */
};

struct channel;

/* Callbacks of the owner. */
struct channel_events {
	/* A message with the right kind, size and number of descriptors; the owner must
	 * check its fields. The count descriptors, close-on-exec, are the owner's from
	 * here on. */
	void (*received)(struct channel *channel, const struct message *message,
			 const int descriptors[], unsigned count);
	/* The same for a message that has lost its descriptors, as this process has no room for
	 * them. False, and when this is NULL: the channel is closed. */
	bool (*without_descriptors)(const struct message *message);
	/* The channel is closed: reason says why ("the other end is gone", or what
	 * was wrong with a message). This is the last call. */
	void (*closed)(struct channel *channel, const char *reason);
};

struct channel_message;
struct channel_joined;

/* Embedded in its owner. */
struct channel {
	struct watch watch;
	const struct channel_events *events;
	unsigned first_kind, last_kind; /* what may arrive */
	STAILQ_HEAD(, channel_message) waiting;
	size_t waiting_count;
	unsigned joins;                /* channel_join without channel_part */
	struct channel_joined *joined; /* what channel_lend got; NULL: nothing is joined now */
};

/* A connected pair of non-blocking, close-on-exec sockets. 0, or -1 with errno. */
int channel_pair(int ends[static 2]) __attribute__((warn_unused_result));

/* Begins to read from fd, which is the channel's from here on. Messages of the kinds
 * first_kind to last_kind may arrive; any other closes the channel. 0, or -1 with errno
 * and fd still the caller's. */
int channel_open(struct channel *channel, int fd, unsigned first_kind, unsigned last_kind,
		 const struct channel_events *events) __attribute__((warn_unused_result));

/* Sends message with copies of the descriptors, which stay the caller's. When the
 * socket is full the message is kept and sent later, in order. Returns 0, or -1 with
 * errno: ENOBUFS when CHANNEL_WAITING_MAX messages wait, ENOMEM, EMFILE, or EPIPE
 * once the channel is closed. */
int channel_send(struct channel *channel, const struct message *message, const int descriptors[],
		 unsigned count) __attribute__((warn_unused_result));

/* Between these two, channel_lend joins messages. `received` is called between them for each
 * message of a packet of several. They may be nested; the last channel_part returns what
 * channel_flush does. If memory runs out nothing is joined. */
void channel_join(struct channel *channel);
int channel_part(struct channel *channel) __attribute__((warn_unused_result));

/* As channel_send, but the message may be sent later, together with the next ones. Until
 * channel_flush or channel_part the descriptors must stay open; they are not copied. */
int channel_lend(struct channel *channel, const struct message *message, const int descriptors[],
		 unsigned count) __attribute__((warn_unused_result));

/* Sends what is joined so far. Returns 0, or -1 as channel_send: then some of it is lost, and
 * the channel must be closed. */
int channel_flush(struct channel *channel) __attribute__((warn_unused_result));

/* Gives the owner what the other end, which has ended, has sent. Its end closes nothing. */
void channel_drain(struct channel *channel);

/* How an owner handles one kind of message: one of the two, depending on whether
 * descriptors can come with it. */
struct channel_act {
	void (*take)(const struct message *message);
	void (*take_with)(const struct message *message, const int descriptors[], unsigned count);
};

/* Calls the entry of acts for the message's kind; acts has every kind that may arrive. */
void channel_act(const struct channel_act acts[], const struct message *message,
		 const int descriptors[], unsigned count);

/* Closes the count descriptors of a message. */
void channel_close_descriptors(const int descriptors[], unsigned count);

/* Closes without calling the owner. Harmless if it is closed. */
void channel_close(struct channel *channel);

bool channel_is_open(const struct channel *channel);

#endif
