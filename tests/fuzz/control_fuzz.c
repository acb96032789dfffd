/* A client of the control socket sends the bytes after the first, in pieces of the size that the
 * first gives. A line that is short enough gets one whole answer, anything else gets none, and
 * afterwards nothing of the client is left. */
#include "base/clock.h"
#include "base/loop.h"
#include "config/control_socket.h"
#include "config/loader.h"
#include "frontend/ask.h"
#include "frontend/control.h"
#include "frontend/dispatch.h"
#include "frontend/lifecycle.h"
#include "frontend/sensors.h"
#include "handlers/handler.h"

#include "fuzz.h"
#include "support/own_log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	SENT_MAX = 4 * CONTROL_REQUEST_MAX,
	TURNS = 100, /* of the loop, more than any answer takes */
	HOUR_MS = 3600 * 1000,
};

static struct sockaddr_un place; /* of the control socket: an abstract name */
static socklen_t place_length = sizeof(sa_family_t);
static struct service *service;
static int monitor = -1; /* the other end of the channel */
static char *answer;
static size_t answer_length;

/* --- the daemon ------------------------------------------------------------------------ */

static void start_service(void)
{
	static const char text[] =
		"service echo\n{\n type = INTERNAL UNLISTED\n"
		" socket_type = stream\n wait = no\n user = root\n port = 0\n}\n";
	struct load_options options = { .serve = text,
					.start_directory = "/",
					.internal_exists = handler_is_built_in };
	struct problems problems = { 0 };
	struct settings *settings = settings_load(&options, &problems);

	require(settings && settings->count == 1 && problems.errors == 0);
	problems_clear(&problems);
	service = service_start(settings->services[0], 0);
	require(service != NULL);
	settings_free(settings);
}

static void open_channel(void)
{
	static const struct channel_events none = { .received = NULL };
	static struct channel channel;
	int ends[2];

	require(channel_pair(ends) == 0);
	require(channel_open(&channel, ends[0], MESSAGE_FROM_FRONTEND, MESSAGE_KINDS - 1, &none) ==
		0);
	ask_init(&channel);
	monitor = ends[1];
}

/* The kernel chooses the name. */
static void open_control(void)
{
	const struct control_message owner = { .owner = geteuid() };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	place.sun_family = AF_UNIX;
	require(fd >= 0 && bind(fd, (struct sockaddr *)&place, place_length) == 0);
	place_length = sizeof place;
	require(getsockname(fd, (struct sockaddr *)&place, &place_length) == 0);
	require(listen(fd, 1) == 0);
	control_serve(fd, &owner);
}

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	own_log_open();
	require(loop_init() == 0 && sensors_init() == 0);
	dispatch_init();
	open_channel();
	start_service();
	control_init();
	open_control();
}

/* --- a client -------------------------------------------------------------------------- */

/* Appends what has come. False: that was all. */
static bool hear(int fd)
{
	char piece[4096];
	ssize_t got;

	while ((got = recv(fd, piece, sizeof piece, MSG_DONTWAIT)) > 0) {
		answer = realloc(answer, answer_length + (size_t)got);
		require(answer != NULL);
		memcpy(answer + answer_length, piece, (size_t)got);
		answer_length += (size_t)got;
	}
	return got < 0 && errno == EAGAIN;
}

/* False: the connection has ended. */
static bool give_time(int fd)
{
	for (int i = 0; i < TURNS; i++) {
		loop_turn(0);
		if (!hear(fd))
			return false;
	}
	return true;
}

/* The daemon may have closed before the last piece, and reads nothing after the line: then what
 * else comes may fill its queue. */
static void send_pieces(int fd, struct input input, size_t size)
{
	while (input.length > 0) {
		struct input piece = input_piece(&input, size);

		if (send(fd, piece.bytes, piece.length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		    (ssize_t)piece.length)
			return;
		loop_turn(0);
	}
}

/* An end of the input, or of the reload that the client waits for. */
static void end(int fd)
{
	if (!give_time(fd))
		return;
	control_reloaded(UINT64_MAX);
	if (!give_time(fd))
		return;
	require(answer_length == 0 && shutdown(fd, SHUT_WR) == 0);
	require(!give_time(fd));
}

/* --- what must hold -------------------------------------------------------------------- */

static bool is_line(struct input input)
{
	size_t most = input.length < CONTROL_REQUEST_MAX ? input.length : CONTROL_REQUEST_MAX;

	return most > 0 && memchr(input.bytes, '\n', most);
}

static void check_answer(void)
{
	const char *line_end = memchr(answer, '\n', answer_length);
	char head[CONTROL_HEAD_MAX], text[CONTROL_HEAD_MAX];
	size_t length, head_length;
	int status;

	require(line_end && line_end - answer < CONTROL_HEAD_MAX - 1);
	head_length = (size_t)(line_end + 1 - answer);
	snprintf(head, sizeof head, "%.*s", (int)head_length, answer);
	require(sscanf(head, "usherd %d %zu\n", &status, &length) == 2);
	require(status == CONTROL_FINE || status == CONTROL_FAILED);
	require(length > 0 && length == answer_length - head_length);
	snprintf(text, sizeof text, "%.*s", (int)(length < 30 ? length : 30), line_end + 1);
	if (strncmp(text, "echo is paused ", 15) == 0)
		require(status == CONTROL_FINE && service->is_paused);
	if (strncmp(text, "echo is resumed", 15) == 0)
		require(status == CONTROL_FINE && !service->is_paused);
}

static void drop_messages(void)
{
	static char message[65536];

	while (recv(monitor, message, sizeof message, MSG_DONTWAIT) > 0)
		;
}

static void forget(void)
{
	free(answer);
	answer = NULL;
	answer_length = 0;
	drop_messages();
	own_log_take(&(size_t){ 0 });
}

static void know_a_ban(void)
{
	struct address banned;

	require(address_parse(&banned, "192.0.2.7", 0) == 0);
	sensors_know(&banned, clock_now() + HOUR_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input input = { bytes, length };
	size_t size = (size_t)input_byte(&input) + 1;
	int fd;

	if (length == 0 || length > SENT_MAX)
		return 0;
	if (!service)
		set_up();
	know_a_ban();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(fd >= 0 && connect(fd, (struct sockaddr *)&place, place_length) == 0);
	send_pieces(fd, input, size);
	end(fd);
	require((answer_length > 0) == is_line(input));
	if (answer_length > 0)
		check_answer();
	close(fd);
	forget();
	return 0;
}
