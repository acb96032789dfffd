/* Sends the bytes after the first to the tcpmux handler, in pieces of the size that the
 * first gives, and checks the header's contract. */
#include "base/loop.h"
#include "handlers/handler.h"
#include "handlers/tcpmux.h"

#include "fuzz.h"

#include <signal.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 4096, REPLY_MAX = 64 };

static struct session *session; /* NULL once it is closed */
static bool is_served;          /* replied: what remains is its connection */
static int transferred;         /* the connection, or -1 */
static size_t name_length;

/* Every second name belongs to a service. */
static bool transfer(struct session *which, const char *name)
{
	require(which == session && *name != '\0' && strcasecmp(name, "help") != 0);
	name_length = strlen(name);
	require(name_length <= TCPMUX_LINE_MAX && !strchr(name, '\n'));
	if (*name & 1)
		transferred = session_take_fd(which);
	return *name & 1;
}

static void each_name(void (*visit)(const char *name, void *context), void *context)
{
	visit("echo", context);
}

static void on_started(struct session *which)
{
	(void)which;
}

static void on_failed(struct session *which, enum verdict verdict, const char *detail)
{
	(void)which, (void)verdict, (void)detail;
	abort();
}

/* What the client still sends is dropped. */
static void on_served(struct session *which)
{
	require(which == session && !is_served);
	is_served = true;
}

static void on_closed(struct session *which)
{
	require(which == session);
	session = NULL;
}

static int begin(struct service_settings *settings)
{
	static const struct tcpmux_callbacks callbacks = { transfer, each_name };
	static const struct session_owner owner = {
		.started = on_started, .failed = on_failed, .served = on_served, .closed = on_closed
	};
	const struct address nobody = { .length = 0 };
	int ends[2];

	tcpmux_init(&callbacks);
	transferred = -1;
	is_served = false;
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	session = session_open(settings, NULL, ends[1], &nobody, &owner);
	require(session != NULL);
	tcpmux_handler.start(session);
	return ends[0];
}

/* Returns how much was sent before the session ended. */
static size_t send_pieces(int fd, const char *bytes, size_t size, size_t piece)
{
	size_t sent = 0;

	while (session && !is_served && sent < size) {
		size_t length = size - sent < piece ? size - sent : piece;

		require(send(fd, bytes + sent, length, MSG_NOSIGNAL) == (ssize_t)length);
		sent += length;
		loop_turn(0);
	}
	return sent;
}

/* Exactly the bytes after the line are left for the service. */
static void check_left(const char *bytes, size_t size)
{
	static char left[REQUEST_MAX + 1];
	ssize_t length = recv(transferred, left, sizeof left, 0);
	size_t found = length < 0 ? 0 : (size_t)length;

	require(found == size && memcmp(left, bytes, size) == 0);
	close(transferred);
}

static void check_reply(int fd)
{
	char reply[REPLY_MAX];
	ssize_t length = recv(fd, reply, sizeof reply, 0);

	require(length > 2 && length < REPLY_MAX && memcmp(reply + length - 2, "\r\n", 2) == 0);
	require(*reply == '-' || (length == 6 && memcmp(reply, "echo", 4) == 0));
	require(recv(fd, reply, sizeof reply, 0) <= 0);
}

static void check_outcome(int fd, const char *bytes, size_t sent)
{
	size_t end = 0;
	int length = tcpmux_line_length(bytes, sent, &end);

	require((length < 0) == (sent == 0 || !memchr(bytes, '\n', sent)));
	require(length < 0 || ((size_t)length < end && end <= sent && bytes[end - 1] == '\n'));
	if (session && !is_served) {
		require(length < 0 && sent < TCPMUX_LINE_MAX + 2);
		session_close(session);
	} else if (transferred >= 0) {
		require(length == (int)name_length);
		check_left(bytes + end, sent - end);
	} else {
		require(length >= 0 || sent >= TCPMUX_LINE_MAX + 2);
		check_reply(fd);
		require(shutdown(fd, SHUT_WR) == 0);
		loop_turn(0);
		require(!session);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct service_settings *settings;
	const char *bytes = (const char *)input + 1;
	int fd;

	if (size == 0 || size > REQUEST_MAX)
		return 0;
	if (!settings) {
		signal(SIGPIPE, SIG_IGN);
		settings = service_settings_new();
		require(settings != NULL && loop_init() == 0);
	}
	fd = begin(settings);
	check_outcome(fd, bytes, send_pieces(fd, bytes, size - 1, input[0] + 1U));
	close(fd);
	return 0;
}
