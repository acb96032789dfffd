/* Datagrams of any length and content to the built-in services, over the loopback
 * interface. Each gets at most one answer, as its service specifies, to its sender. A
 * refused sender gets none.
 *
 * The input is a list: a byte for the service, two bytes of length, and the datagram. */
#include "base/loop.h"
#include "config/loader.h"
#include "frontend/ask.h"
#include "frontend/dispatch.h"
#include "frontend/lifecycle.h"
#include "frontend/sensors.h"
#include "handlers/handler.h"

#include "fuzz.h"
#include "support/own_log.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	DATAGRAMS_MAX = 24, /* at once; too few to fill a socket's queue */
	SENT_MAX = 16 * 1024,
	CHARGEN_MAX = 512, /* RFC 864 */
	DAYTIME_MAX = 128,
};

/* True for an answer that the service may give to the request. */
typedef bool answer_check(struct input request, struct input answer);

static answer_check check_echo, check_nothing, check_text, check_time;

struct built_in {
	const char *name, *rule;
	answer_check *check;
	size_t answer_most;
	bool always_answers;
	const struct handler *handler;
	struct service *service;
	int sender; /* connected to the service */
};

static struct built_in built_ins[] = {
	{ "echo", "", check_echo, DATAGRAM_MAX, true, &echo_handler, NULL, -1 },
	{ "discard", "", check_nothing, 0, false, &discard_handler, NULL, -1 },
	{ "chargen", "", check_text, CHARGEN_MAX, true, &chargen_handler, NULL, -1 },
	{ "daytime", "", check_text, DAYTIME_MAX, true, &daytime_handler, NULL, -1 },
	{ "time", "", check_time, sizeof(uint32_t), true, &time_handler, NULL, -1 },
	{ "echo", "no_access = 127.0.0.1", check_nothing, 0, false, &echo_handler, NULL, -1 },
};

enum { BUILT_INS = sizeof built_ins / sizeof built_ins[0] };

static uint8_t answer[DATAGRAM_MAX];

/* --- the allowed answers ----------------------------------------------------------- */

static bool check_echo(struct input request, struct input reply)
{
	return reply.length == request.length &&
	       (reply.length == 0 || memcmp(reply.bytes, request.bytes, reply.length) == 0);
}

static bool check_nothing(struct input request, struct input reply)
{
	(void)request, (void)reply;
	return false;
}

static bool check_text(struct input request, struct input reply)
{
	(void)request;
	while (reply.length > 0) {
		struct input line = input_line(&reply);

		if (line.length > 0 && line.bytes[line.length - 1] == '\r')
			line.length--;
		if (!is_printable((const char *)line.bytes, line.length))
			return false;
	}
	return true;
}

static bool check_time(struct input request, struct input reply)
{
	(void)request;
	return reply.length == sizeof(uint32_t);
}

/* --- the services -------------------------------------------------------------------- */

/* A port that is free now; it can't be reserved. */
static unsigned free_port(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t length = sizeof here;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	require(fd >= 0 && bind(fd, (struct sockaddr *)&here, length) == 0);
	require(getsockname(fd, (struct sockaddr *)&here, &length) == 0);
	close(fd);
	return ntohs(here.sin_port);
}

static struct settings *load_service(const struct built_in *built_in, unsigned port)
{
	struct load_options options = {
		.start_directory = "/",
		.internal_exists = handler_is_built_in,
	};
	struct problems problems = { 0 };
	struct settings *settings;
	char path[] = "/tmp/usherd-fuzz-service-XXXXXX";
	int fd = mkstemp(path);

	require(fd >= 0);
	dprintf(fd,
		"service %s\n{\n type = INTERNAL UNLISTED\n socket_type = dgram\n"
		" protocol = udp\n wait = no\n user = root\n port = %u\n bind = 127.0.0.1\n"
		" cps = 0 0\n log_on_success = HOST\n log_on_failure = HOST\n %s\n}\n",
		built_in->name, port, built_in->rule);
	options.config = path;
	settings = settings_load(&options, &problems);
	require(settings && settings->count == 1 && problems.errors == 0);
	problems_clear(&problems);
	unlink(path);
	close(fd);
	return settings;
}

/* In place of the monitor: ignores all requests. */
static void be_the_monitor(void)
{
	static const struct channel_events none = { .received = NULL };
	static struct channel channel;
	int ends[2];

	require(channel_pair(ends) == 0);
	require(channel_open(&channel, ends[0], MESSAGE_FROM_FRONTEND, MESSAGE_KINDS - 1, &none) ==
		0);
	ask_init(&channel);
}

static void bind_listener(struct listener *listener, const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	require(fd >= 0);
	require(bind(fd, (const struct sockaddr *)address, sizeof *address) == 0);
	listener_bound(listener, fd, -1, true);
}

static void start_service(struct built_in *built_in)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	unsigned port = free_port();
	struct settings *settings = load_service(built_in, port);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	built_in->service = service_start(settings->services[0], 0);
	require(built_in->service && !LIST_EMPTY(&built_in->service->listeners));
	bind_listener(LIST_FIRST(&built_in->service->listeners), &to);
	require(service_is_bound(built_in->service));
	settings_free(settings);
	built_in->sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	require(built_in->sender >= 0);
	require(connect(built_in->sender, (struct sockaddr *)&to, sizeof to) == 0);
}

static void set_up(void)
{
	own_log_open();
	require(loop_init() == 0 && sensors_init() == 0);
	dispatch_init();
	be_the_monitor();
	for (int i = 0; i < BUILT_INS; i++)
		start_service(&built_ins[i]);
}

/* --- sending and hearing --------------------------------------------------------------- */

struct datagram {
	struct built_in *to;
	struct input request;
};

static size_t send_all(struct input input, struct datagram sent[static DATAGRAMS_MAX])
{
	size_t count = 0, total = 0;

	while (input.length > 0 && count < DATAGRAMS_MAX && total < SENT_MAX) {
		struct datagram *one = &sent[count++];
		size_t most;

		one->to = &built_ins[input_byte(&input) % BUILT_INS];
		most = input_byte(&input);
		most |= (size_t)input_byte(&input) << 8;
		one->request = input_piece(&input, most);
		total += one->request.length;
		require(send(one->to->sender, one->request.bytes, one->request.length, 0) ==
			(ssize_t)one->request.length);
	}
	return count;
}

/* One turn of the loop answers the batch of each socket. */
static void check_answers(const struct datagram *sent, size_t count)
{
	ssize_t length;

	loop_turn(0);
	loop_turn(0);
	for (size_t i = 0; i < count; i++) {
		if (!sent[i].to->always_answers)
			continue;
		length = recv(sent[i].to->sender, answer, sizeof answer, 0);
		require(length >= 0 && (size_t)length <= sent[i].to->answer_most);
		require(sent[i].to->check(sent[i].request,
					  (struct input){ answer, (size_t)length }));
	}
	for (int i = 0; i < BUILT_INS; i++)
		require(recv(built_ins[i].sender, answer, sizeof answer, 0) < 0);
}

static void check_counts(const struct datagram *sent, size_t count)
{
	static uint64_t refused, started;
	struct service *closed = built_ins[BUILT_INS - 1].service;

	for (size_t i = 0; i < count; i++) {
		refused += sent[i].to->service == closed;
		started += sent[i].to->service == built_ins[0].service;
	}
	require((closed->failures ? closed->failures->refused[REFUSED_ADDRESS] : 0) == refused &&
		closed->started == 0);
	require(built_ins[0].service->started == started);
}

static void check_log(void)
{
	size_t length;
	char *rest = own_log_take(&length), *line;

	while ((line = strsep(&rest, "\n")) && *line)
		require(is_printable(line, strlen(line)) && own_log_message(line));
}

/* With a buffer of any size. */
static void check_handler(const struct handler *handler, struct input request, size_t size)
{
	uint8_t *buffer = malloc(size + 1);

	require(buffer && handler->answer);
	require(handler->answer(request.bytes, request.length, buffer, size) <= size);
	free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct datagram sent[DATAGRAMS_MAX];
	size_t count;

	if (built_ins[0].sender < 0)
		set_up();
	count = send_all((struct input){ bytes, length }, sent);
	check_answers(sent, count);
	check_counts(sent, count);
	check_log();
	for (size_t i = 0; i < count && i < BUILT_INS; i++)
		check_handler(sent[i].to->handler, sent[i].request, length % 1500);
	return 0;
}
