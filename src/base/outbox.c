#include "base/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool outbox_is_empty(const struct outbox *outbox)
{
	return !outbox->bytes;
}

/* Sends what it can. Returns how much, or -1 with errno. */
static ssize_t send_some(int fd, const char *bytes, size_t length)
{
	ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static int keep(struct outbox *outbox, const char *bytes, size_t length)
{
	outbox->bytes = malloc(length);
	if (!outbox->bytes)
		return -1;
	memcpy(outbox->bytes, bytes, length);
	outbox->length = length;
	outbox->sent = 0;
	return 1;
}

int outbox_send(struct outbox *outbox, int fd, const void *bytes, size_t length)
{
	ssize_t sent = send_some(fd, bytes, length);

	if (sent < 0)
		return -1;
	if ((size_t)sent == length)
		return 0;
	return keep(outbox, (const char *)bytes + sent, length - (size_t)sent);
}

int outbox_flush(struct outbox *outbox, int fd)
{
	ssize_t sent = send_some(fd, outbox->bytes + outbox->sent, outbox->length - outbox->sent);

	if (sent < 0)
		return -1;
	outbox->sent += (size_t)sent;
	if (outbox->sent < outbox->length)
		return 1;
	outbox_clear(outbox);
	return 0;
}

void outbox_clear(struct outbox *outbox)
{
	free(outbox->bytes);
	*outbox = (struct outbox){ .bytes = NULL };
}
