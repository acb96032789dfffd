#include "config/control_client.h"

#include "base/clock.h"
#include "base/close_keeping_errno.h"
#include "config/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	CONNECT_S = 5, /* a frontend that does not accept has a full queue */
	PIECE = 65536,
	BYTES_MAX = CONTROL_HEAD_MAX + CONTROL_ANSWER_MAX,
};

/* --- connecting ----------------------------------------------------------------------------- */

/* connect(2) takes only short paths; a longer one is opened, and named by its descriptor. */
static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int file = -1, result;

	if (strlen(path) < sizeof address.sun_path) {
		strcpy(address.sun_path, path);
	} else {
		file = open(path, O_PATH | O_CLOEXEC);
		if (file < 0)
			return -1;
		snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
	}
	result = connect(fd, (struct sockaddr *)&address, sizeof address);
	close_keeping_errno(file);
	return result;
}

int control_client_connect(const char *path)
{
	const struct timeval limit = { .tv_sec = CONNECT_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* also limits connect(2) */
	if (connect_to(fd, path) == 0)
		return fd;
	close_keeping_errno(fd);
	return -1;
}

int control_client_connect_default(const char **path)
{
	static char own[PATH_MAX];
	int fd, error;

	*path = control_socket_default(own);
	fd = *path ? control_client_connect(*path) : -1;
	if (fd >= 0)
		return fd;
	error = errno;
	fd = control_client_connect(CONTROL_PATH);
	if (fd < 0 && *path)
		errno = error;
	else
		*path = CONTROL_PATH;
	return fd;
}

const char *control_client_fault(int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		return "no daemon answers there";
	if (error == EAGAIN)
		return "the daemon is there, but accepts no connection: it hangs, or others ask it";
	return strerror(error);
}

/* --- the question and the answer ------------------------------------------------------------ */

int control_client_send(int fd, const char *request, size_t length)
{
	/* EPIPE: the daemon has answered already, and the answer says why it refuses. */
	if (send(fd, request, length, MSG_NOSIGNAL) == (ssize_t)length || errno == EPIPE)
		return 0;
	return -1;
}

/* How many milliseconds are left until due; 0 when it has passed. */
static int left_until(uint64_t due)
{
	uint64_t now = clock_read();

	return now < due ? (int)(due - now) : 0;
}

/* Room for another piece, and a NUL after it. */
static int make_room(struct control_answer *answer, size_t *size)
{
	char *more;

	if (*size >= answer->length + PIECE + 1)
		return 0;
	*size = 2 * *size + PIECE + 1;
	more = realloc(answer->bytes, *size);
	if (!more)
		return -1;
	answer->bytes = more;
	return 0;
}

/* All that comes until the end. */
static int receive_all(int fd, uint64_t due, struct control_answer *answer)
{
	size_t size = 0;
	ssize_t got;

	do {
		struct pollfd there = { .fd = fd, .events = POLLIN };

		if (make_room(answer, &size) < 0 || poll(&there, 1, left_until(due)) <= 0)
			return -1;
		got = recv(fd, answer->bytes + answer->length, PIECE, 0);
		answer->length += got > 0 ? (size_t)got : 0;
	} while (got > 0 && answer->length <= BYTES_MAX);
	answer->bytes[answer->length] = '\0';
	return 0;
}

int control_client_receive(int fd, int milliseconds, struct control_answer *answer)
{
	size_t announced, all;

	*answer = (struct control_answer){ 0 };
	if (receive_all(fd, clock_read() + (uint64_t)milliseconds, answer) < 0)
		return -1;
	all = answer->length;
	answer->text = strchr(answer->bytes, '\n');
	if (!answer->text ||
	    sscanf(answer->bytes, "usherd %d %zu\n", &answer->status, &announced) != 2)
		return -1;
	answer->text++;
	answer->length = all - (size_t)(answer->text - answer->bytes);
	return answer->length == announced ? 0 : -1;
}
