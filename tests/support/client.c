#include "support/client.h"

#include "support/deadline.h"
#include "support/place.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct endpoint endpoint_of(const char *host, int port)
{
	struct endpoint endpoint = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&endpoint.address;
	struct sockaddr_in *in4 = (struct sockaddr_in *)&endpoint.address;

	if (!host)
		host = "127.0.0.1";
	if (strchr(host, ':')) {
		*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					      .sin6_port = htons((uint16_t)port) };
		endpoint.length = sizeof *in6;
		ck_assert_int_eq(inet_pton(AF_INET6, host, &in6->sin6_addr), 1);
	} else {
		*in4 = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)port) };
		endpoint.length = sizeof *in4;
		ck_assert_int_eq(inet_pton(AF_INET, host, &in4->sin_addr), 1);
	}
	return endpoint;
}

static int socket_from(int type, const char *source, const char *host)
{
	struct endpoint target = endpoint_of(host, 0);
	int fd = socket(target.address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	if (source) {
		struct endpoint own = endpoint_of(source, 0);

		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own.address, own.length), 0);
	}
	return fd;
}

/* Waits for events until the deadline; true when one has come. */
static bool is_ready(int fd, short events, const struct deadline *deadline)
{
	struct pollfd polled = { .fd = fd, .events = events };

	while (poll(&polled, 1, deadline_left(deadline)) < 0)
		ck_assert_int_eq(errno, EINTR);
	return polled.revents != 0;
}

/* Returns 0, or the errno of the failed connection. */
static int try_connect(int fd, const char *host, int port)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	struct endpoint target = endpoint_of(host, port);
	int error = 0;
	socklen_t size = sizeof error;

	if (connect(fd, (struct sockaddr *)&target.address, target.length) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!is_ready(fd, POLLOUT, &deadline))
		return ETIMEDOUT;
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	return error;
}

int client_connect_from(const char *source, const char *host, int port)
{
	int fd = socket_from(SOCK_STREAM, source, host);
	int error = try_connect(fd, host, port);

	ck_assert_msg(error == 0, "connecting to %s port %d: %s", host ? host : "127.0.0.1", port,
		      strerror(error));
	return fd;
}

int client_connect(const char *host, int port)
{
	return client_connect_from(NULL, host, port);
}

bool client_is_refused(const char *host, int port)
{
	int fd = socket_from(SOCK_STREAM, NULL, host);
	int error = try_connect(fd, host, port);

	close(fd);
	/* A reset comes when the listener is closed before it accepts. */
	ck_assert_msg(error == 0 || error == ECONNREFUSED || error == ECONNRESET,
		      "connecting to port %d: %s", port, strerror(error));
	return error == ECONNREFUSED;
}

void client_send_bytes(int fd, const void *bytes, size_t length)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	const char *rest = bytes;

	while (length > 0) {
		ssize_t sent = send(fd, rest, length, MSG_NOSIGNAL);

		if (sent < 0) {
			ck_assert_msg(errno == EAGAIN, "sending: %s", strerror(errno));
			ck_assert_msg(is_ready(fd, POLLOUT, &deadline), "the peer does not read");
			continue;
		}
		rest += sent;
		length -= (size_t)sent;
	}
}

void client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

void client_finish_sending(int fd)
{
	ck_assert_msg(shutdown(fd, SHUT_WR) == 0 || errno == ENOTCONN, "shutdown: %s",
		      strerror(errno));
}

/* Reads up to size bytes, 0 at the end of the stream. */
static size_t read_some(int fd, char *buffer, size_t size, const struct deadline *deadline)
{
	ssize_t got;

	ck_assert_msg(is_ready(fd, POLLIN, deadline), "the peer neither sends nor closes");
	got = recv(fd, buffer, size, 0);
	ck_assert_msg(got >= 0 || errno == ECONNRESET || errno == EPIPE, "receiving: %s",
		      strerror(errno));
	return got > 0 ? (size_t)got : 0;
}

struct bytes client_read(int fd, size_t length)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	struct bytes bytes = { .data = keep(calloc(1, length + 1)) };

	while (bytes.length < length) {
		size_t got =
			read_some(fd, bytes.data + bytes.length, length - bytes.length, &deadline);

		ck_assert_msg(got > 0, "the end after %zu of %zu bytes: %.200s", bytes.length,
			      length, bytes.data);
		bytes.length += got;
	}
	return bytes;
}

char *client_read_line(int fd)
{
	enum { LINE_MAX_LENGTH = 4096 };
	char *line = keep(calloc(1, LINE_MAX_LENGTH + 1));

	for (size_t i = 0; i < LINE_MAX_LENGTH; i++) {
		line[i] = client_read(fd, 1).data[0];
		if (line[i] == '\n') {
			line[i] = '\0';
			return line;
		}
	}
	ck_abort_msg("an endless line: %.200s", line);
	return NULL;
}

struct bytes client_read_all(int fd)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	size_t size = 4096, got;
	char *data = malloc(size), *larger;
	struct bytes bytes = { 0 };

	ck_assert_ptr_nonnull(data);
	while ((got = read_some(fd, data + bytes.length, size - bytes.length - 1, &deadline)) > 0) {
		bytes.length += got;
		if (size - bytes.length > 1)
			continue;
		size *= 2;
		larger = realloc(data, size);
		ck_assert_ptr_nonnull(larger);
		data = larger;
	}
	data[bytes.length] = '\0';
	bytes.data = keep(data);
	return bytes;
}

void client_expect_bytes(int fd, const void *bytes, size_t length)
{
	struct bytes got = client_read(fd, length);

	ck_assert_mem_eq(got.data, bytes, length);
}

void client_expect(int fd, const char *text)
{
	ck_assert_str_eq(client_read(fd, strlen(text)).data, text);
}

bool client_hears_nothing(int fd)
{
	struct deadline deadline = deadline_in(200);

	return !is_ready(fd, POLLIN, &deadline);
}

int client_end(int fd)
{
	struct deadline deadline = deadline_in(DEADLINE_MS);
	char byte;
	ssize_t length;

	ck_assert_msg(is_ready(fd, POLLIN, &deadline), "the connection does not end");
	length = recv(fd, &byte, 1, 0);
	ck_assert_msg(length <= 0, "there is more: %c", byte);
	ck_assert_msg(length == 0 || errno == ECONNRESET, "receiving: %s", strerror(errno));
	return length < 0 ? errno : 0;
}

void client_expect_end(int fd)
{
	struct bytes rest = client_read_all(fd);

	ck_assert_msg(rest.length == 0, "more came before the end: %.200s", rest.data);
	close(fd);
}

static char *converse(int fd, const char *text)
{
	char *answer;

	/* The server may close before the text is sent. */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0)
		client_finish_sending(fd);
	answer = client_read_all(fd).data;
	close(fd);
	return answer;
}

char *ask(int port, const char *text)
{
	return converse(client_connect(NULL, port), text);
}

char *ask_at(const char *host, int port, const char *text)
{
	return converse(client_connect(host, port), text);
}

char *ask_from(const char *source, int port, const char *text)
{
	return converse(client_connect_from(source, NULL, port), text);
}

void client_ping(int fd)
{
	client_send(fd, "ping\n");
	client_expect(fd, "ping\n");
}

int client_hold(int port)
{
	int fd = client_connect(NULL, port);

	client_ping(fd);
	return fd;
}

int client_port(int fd)
{
	struct sockaddr_storage own;
	socklen_t length = sizeof own;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	return own.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&own)->sin6_port)
					 : ntohs(((struct sockaddr_in *)&own)->sin_port);
}

void client_reset(int fd)
{
	struct linger at_once = { .l_onoff = 1 };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	close(fd);
}

int datagram_connect(const char *source, const char *host, int port)
{
	int fd = socket_from(SOCK_DGRAM, source, host);

	ck_assert_int_eq(try_connect(fd, host, port), 0);
	return fd;
}

void datagram_send(int fd, const void *bytes, size_t length)
{
	ck_assert_int_eq(send(fd, bytes, length, 0), (ssize_t)length);
}

struct bytes datagram_receive(int fd)
{
	enum { DATAGRAM_MAX = 65536 };
	struct deadline deadline = deadline_in(DEADLINE_MS);
	struct bytes bytes = { .data = keep(calloc(1, DATAGRAM_MAX + 1)) };
	ssize_t got;

	ck_assert_msg(is_ready(fd, POLLIN, &deadline), "no datagram comes");
	got = recv(fd, bytes.data, DATAGRAM_MAX, 0);
	ck_assert_msg(got >= 0, "receiving a datagram: %s", strerror(errno));
	bytes.length = (size_t)got;
	return bytes;
}

bool datagram_is_waiting(int fd)
{
	struct deadline deadline = deadline_in(0);

	return is_ready(fd, POLLIN, &deadline);
}

char *datagram_ask(int port, const char *text)
{
	int fd = datagram_connect(NULL, NULL, port);
	char *answer;

	datagram_send(fd, text, strlen(text));
	answer = datagram_receive(fd).data;
	close(fd);
	return answer;
}
