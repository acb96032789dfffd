/* An identd that replies anything, in any pieces, and closes, resets or stays: the whole
 * exchange over the loopback interface. It has one result, which the reader of RFC 1413
 * finds in the first line, and no byte of the reply reaches the log unescaped.
 *
 * The first byte chooses how the connection ends, the second the size of the pieces in
 * which the others are sent. A "?" that begins the reply stands for the query's ports. */
#include "admission/ident.h"
#include "base/loop.h"
#include "session/identify.h"

#include "fuzz.h"
#include "support/own_log.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THEIR_PORT = 6193, OUR_PORT = 23, REPLY_MAX = 2 * IDENT_REPLY_MAX, ENOUGH_MS = 60000 };
enum ending { CLOSES, RESETS, STAYS, ENDINGS };

static const char ports[] = "6193,23";

struct told {
	unsigned calls;
	enum identify_result result;
	char user[IDENT_USER_SIZE];
};

static int listener;

/* --- the identd ------------------------------------------------------------------- */

static void listen_here(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t length = sizeof here;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(listener >= 0 && bind(listener, (struct sockaddr *)&here, length) == 0);
	require(listen(listener, 8) == 0);
	require(getsockname(listener, (struct sockaddr *)&here, &length) == 0);
	identify_set_port(ntohs(here.sin_port));
}

/* Leaves no connection in TIME_WAIT. */
static void reset(int fd)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
}

/* Accepts the connection and waits for the query. */
static int accept_query(void)
{
	char query[IDENT_QUERY_SIZE * 2];
	struct pollfd connection = {
		.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC),
		.events = POLLIN,
	};

	require(connection.fd >= 0);
	while (poll(&connection, 1, 0) == 0)
		loop_turn(-1);
	require(recv(connection.fd, query, sizeof query, 0) == (ssize_t)strlen(ports) + 2);
	require(memcmp(query, ports, strlen(ports)) == 0);
	return connection.fd;
}

/* Stops when the result is known. */
static void send_pieces(int fd, struct input reply, size_t most, const struct told *told)
{
	while (reply.length > 0 && told->calls == 0) {
		struct input piece = input_piece(&reply, most);

		if (send(fd, piece.bytes, piece.length, MSG_NOSIGNAL) < 0)
			return;
		loop_turn(-1);
	}
}

/* --- the result ------------------------------------------------------------------------ */

static void take_result(void *context, enum identify_result result, const char *user)
{
	struct told *told = context;

	told->calls++;
	told->result = result;
	require((user != NULL) == (result == IDENTIFIED));
	if (user)
		snprintf(told->user, sizeof told->user, "%s", user);
}

static void check_result(const struct told *told, struct input reply, enum ending ending)
{
	char user[IDENT_USER_SIZE];
	enum ident_outcome outcome =
		ident_parse((const char *)reply.bytes, reply.length, THEIR_PORT, OUR_PORT, user);

	require(told->calls == 1 && *identify_result_text(told->result));
	require(is_printable(told->user, strlen(told->user)));
	if (told->result == IDENTIFY_RECEIVE_ERROR)
		require(ending == RESETS || outcome == IDENT_INCOMPLETE);
	else if (outcome == IDENT_USER)
		require(told->result == IDENTIFIED && strcmp(told->user, user) == 0);
	else
		require(told->result == IDENTIFY_BAD_RESPONSE);
}

static void check_log(void)
{
	size_t length;
	char *rest = own_log_take(&length), *line;

	require(strlen(rest) == length);
	while ((line = strsep(&rest, "\n")) && *line)
		require(is_printable(line, strlen(line)) && own_log_message(line));
}

static struct identification *start(uint64_t deadline_ms, struct told *told)
{
	static uint32_t source; /* another each time, as a port is busy for a while after use */
	struct address local, peer;
	struct identification *identification;

	require(address_parse(&local, "127.0.0.1", OUR_PORT) == 0);
	local.in4.sin_addr.s_addr = htonl(0x7f010000 | (++source & 0xffff));
	require(address_parse(&peer, "127.0.0.1", THEIR_PORT) == 0);
	identification = identify_start(&local, &peer, deadline_ms, take_result, told);
	require(identification && told->calls == 0);
	return identification;
}

/* An identd that stays without a reply is cancelled. */
static void check_exchange(struct input reply, enum ending ending, size_t piece)
{
	struct told told = { .calls = 0 };
	struct identification *identification = start(ENOUGH_MS, &told);
	int fd = accept_query();

	send_pieces(fd, reply, piece, &told);
	if (ending == CLOSES)
		shutdown(fd, SHUT_WR);
	else if (ending == RESETS)
		reset(fd);
	else if (told.calls == 0)
		identify_cancel(identification);
	while (ending != STAYS && told.calls == 0)
		loop_turn(-1);
	if (ending != RESETS)
		reset(fd);
	if (told.calls > 0)
		check_result(&told, reply, ending);
}

static void check_silence(void)
{
	struct told told = { .calls = 0 };

	start(0, &told);
	while (told.calls == 0)
		loop_turn(-1);
	require(told.calls == 1 && told.result == IDENTIFY_TIMED_OUT);
	reset(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

static struct input fill_in_ports(struct input input, char reply[static REPLY_MAX])
{
	size_t length = 0;

	if (input.length > 0 && *input.bytes == '?') {
		input_byte(&input);
		length = strlen(strcpy(reply, ports));
	}
	input = input_piece(&input, REPLY_MAX - length);
	if (input.length > 0)
		memcpy(reply + length, input.bytes, input.length);
	return (struct input){ (const uint8_t *)reply, length + input.length };
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input input = { bytes, length };
	enum ending ending = input_byte(&input) % ENDINGS;
	size_t piece = input_byte(&input) * 4U + 1;
	char reply[REPLY_MAX];

	if (listener == 0) {
		signal(SIGPIPE, SIG_IGN);
		own_log_open();
		require(loop_init() == 0);
		listen_here();
	}
	if (length == 0)
		check_silence();
	else
		check_exchange(fill_in_ports(input, reply), ending, piece);
	check_log();
	return 0;
}
