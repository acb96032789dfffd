#include "base/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool outbox_is_empty(const struct outbox *outbox)
{
	return !outbox->bytes;
}

/* How bytes leave; as write(2). */
typedef ssize_t put_bytes(int fd, const void *bytes, size_t length);

static ssize_t send_bytes(int fd, const void *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Puts what it can. Returns how much, or -1 with errno. */
static ssize_t put_some(put_bytes *put, int fd, const char *bytes, size_t length)
{
	ssize_t count = put(fd, bytes, length);

	return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : count;
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

static int begin(struct outbox *outbox, put_bytes *put, int fd, const void *bytes, size_t length)
{
	ssize_t sent = put_some(put, fd, bytes, length);

	if (sent < 0)
		return -1;
	if ((size_t)sent == length)
		return 0;
	return keep(outbox, (const char *)bytes + sent, length - (size_t)sent);
}

static int go_on(struct outbox *outbox, put_bytes *put, int fd)
{
	ssize_t sent =
		put_some(put, fd, outbox->bytes + outbox->sent, outbox->length - outbox->sent);

	if (sent < 0)
		return -1;
	outbox->sent += (size_t)sent;
	if (outbox->sent < outbox->length)
		return 1;
	outbox_clear(outbox);
	return 0;
}

int outbox_send(struct outbox *outbox, int fd, const void *bytes, size_t length)
{
	return begin(outbox, send_bytes, fd, bytes, length);
}

int outbox_flush(struct outbox *outbox, int fd)
{
	return go_on(outbox, send_bytes, fd);
}

int outbox_write(struct outbox *outbox, int fd, const void *bytes, size_t length)
{
	return begin(outbox, write, fd, bytes, length);
}

int outbox_write_rest(struct outbox *outbox, int fd)
{
	return go_on(outbox, write, fd);
}

int outbox_add(struct outbox *outbox, const void *bytes, size_t length)
{
	size_t left = outbox->length - outbox->sent;
	char *all;

	if (length == 0)
		return 0;
	all = malloc(left + length);
	if (!all)
		return -1;
	if (left > 0)
		memcpy(all, outbox->bytes + outbox->sent, left);
	memcpy(all + left, bytes, length);
	free(outbox->bytes);
	*outbox = (struct outbox){ .bytes = all, .length = left + length };
	return 0;
}

void outbox_clear(struct outbox *outbox)
{
	free(outbox->bytes);
	*outbox = (struct outbox){ .bytes = NULL };
}
