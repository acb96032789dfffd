/* Bytes that a socket, or another descriptor, had no room for yet. */
#ifndef USHERD_BASE_OUTBOX_H
#define USHERD_BASE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

/* All zero when it is empty, as at first. */
struct outbox {
	char *bytes; /* NULL: empty */
	size_t length, sent;
};

bool outbox_is_empty(const struct outbox *outbox);

/* Sends length bytes to the socket fd without blocking, and keeps a copy of those it has
 * no room for; then the caller waits until fd is writable and calls outbox_flush. To be
 * called only while the outbox is empty. Returns 0 when everything is sent, 1 when
 * something is kept, -1 with errno when the connection is broken or memory is short. No
 * SIGPIPE. */
int outbox_send(struct outbox *outbox, int fd, const void *bytes, size_t length)
	__attribute__((warn_unused_result));

/* Sends what is kept, as far as there is room. Returns as outbox_send. */
int outbox_flush(struct outbox *outbox, int fd) __attribute__((warn_unused_result));

/* The same for any descriptor that does not block. SIGPIPE must be ignored. */
int outbox_write(struct outbox *outbox, int fd, const void *bytes, size_t length)
	__attribute__((warn_unused_result));
int outbox_write_rest(struct outbox *outbox, int fd) __attribute__((warn_unused_result));

/* Keeps length bytes behind those that are kept, if any. 0, or -1 with errno ENOMEM. */
int outbox_add(struct outbox *outbox, const void *bytes, size_t length)
	__attribute__((warn_unused_result));

/* Drops what is kept. */
void outbox_clear(struct outbox *outbox);

#endif
