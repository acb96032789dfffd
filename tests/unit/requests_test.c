#include "monitor/reload.h"
#include "monitor/requests.h"
#include "monitor/session_messages.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/region.h"
#include "channel/channel.h"
#include "config/settings.h"
#include "monitor/banners.h"
#include "monitor/binder.h"
#include "monitor/children.h"
#include "monitor/configuration.h"
#include "monitor/ending.h"
#include "monitor/frontend_process.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/own_frontend.h"
#include "support/place.h"
#include "support/process.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The numbers of the services. */
enum { PROGRAM, WAIT, INTERCEPT, BUILT_IN, SERVICES };

enum { INSTANCES = 2, LIMIT = 4 };

static int ports[SERVICES];
static int connection = -1, client = -1; /* one of the service PROGRAM */

/* --- messages of the frontend ------------------------------------------------------ */

static char *services(const char *more)
{
	static const char *const lines[SERVICES] = {
#define SOCKET(type, protocol, wait) \
	"socket_type = " type "\nprotocol = " protocol "\nwait = " wait "\n"
		[PROGRAM] = SOCKET("stream", "tcp", "no") "server = /bin/cat\n"
							  "instances = 2\nbanner = /etc/passwd\n",
		[WAIT] = SOCKET("dgram", "udp", "yes") "server = /bin/sleep\n"
						       "server_args = 60\n",
		[INTERCEPT] =
			SOCKET("stream", "tcp", "yes") "server = /bin/sleep\n"
						       "server_args = 60\nflags = INTERCEPT\n",
		[BUILT_IN] = SOCKET("stream", "tcp", "no") "type = INTERNAL UNLISTED\n",
	};
	static const char *const names[SERVICES] = { "zzcat", "zzwait", "zzic", "echo" };
	char *text = textf("%s", "");

	for (int i = 0; i < SERVICES; i++) {
		if (ports[i] == 0)
			ports[i] = port_take();
		text = textf("%sservice %s\n{\nuser = %u\nport = %d\nbind = 127.0.0.1\n%s%s%s}\n",
			     text, names[i], (unsigned)geteuid(), ports[i],
			     i == BUILT_IN ? "" : "type = UNLISTED\n", lines[i],
			     i == PROGRAM ? more : "");
	}
	return text;
}

static void open_connection(void)
{
	struct address here;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(address_parse(&here, "127.0.0.1", 0), 0);
	ck_assert_int_eq(bind(listener, &here.any, here.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(address_of_socket(listener, &here), 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(client, &here.any, here.length), 0);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(connection, 0);
	close(listener);
}

static void setup_silent(void)
{
	memset(ports, 0, sizeof ports);
	own_frontend_options.process_limit = LIMIT;
	own_frontend_begin("%s", services(""));
	open_connection();
}

static struct service_number number_of(uint32_t service)
{
	return (struct service_number){ own_frontend_generation(), service };
}

/* Opens here what stays open after the first banner: tests count descriptors. */
static void setup(void)
{
	struct message banner = { .kind = MESSAGE_OPEN_BANNER };

	setup_silent();
	own_frontend_get_ready();
	own_frontend_adopt();
	banner.banner =
		(struct banner_message){ .service = number_of(PROGRAM), .which = BANNER_FAIL };
	own_frontend_say(&banner, NULL, 0);
	own_frontend_hear(MESSAGE_BANNER, NULL);
}

static void teardown(void)
{
	own_frontend_finish();
}

static struct address loopback(int port)
{
	struct address address;

	ck_assert_int_eq(address_parse(&address, "127.0.0.1", (uint16_t)port), 0);
	return address;
}

static struct message bind_of(uint32_t service)
{
	bool is_datagram = service == WAIT, is_inner = service == INTERCEPT;

	return (struct message){
		.kind = MESSAGE_BIND,
		.bind = { .service = number_of(service),
			  .ticket = 7,
			  .type = is_datagram ? SOCK_DGRAM : SOCK_STREAM,
			  .protocol = is_datagram ? IPPROTO_UDP : IPPROTO_TCP,
			  .address = loopback(is_inner ? 0 : ports[service]),
			  .is_inner = is_inner },
	};
}

static struct message launch_of(uint32_t service)
{
	struct message message = {
		.kind = MESSAGE_LAUNCH,
		.launch = { .session = own_frontend_session(),
			    .service = number_of(service),
			    .peer = loopback(4000),
			    .waits = service != PROGRAM },
	};

	if (message.launch.waits) {
		message.launch.socket = bind_of(service).bind.address;
		message.launch.is_inner = service == INTERCEPT;
	}
	return message;
}

static struct message proxied_launch_of(uint32_t service)
{
	struct message message = launch_of(service);

	message.kind = MESSAGE_LAUNCH_PROXIED;
	message.proxied_launch.proxied = (struct proxied){
		.proxy = loopback(1),
		.local = loopback(2),
		.facts = { .unique_id = "id", .ssl_name = "a \\xC3" },
	};
	return message;
}

/* As a correct frontend sends it. */
static struct message sound(enum message_kind kind)
{
	struct message message = { .kind = kind };

	switch (kind) {
	case MESSAGE_BIND:
	case MESSAGE_UNBIND:
		message = bind_of(PROGRAM);
		message.kind = kind;
		break;
	case MESSAGE_LAUNCH:
		return launch_of(PROGRAM);
	case MESSAGE_LAUNCH_PROXIED:
		return proxied_launch_of(PROGRAM);
	case MESSAGE_ADOPTED:
		message.generation.generation = own_frontend_generation();
		break;
	case MESSAGE_UNBAN:
	case MESSAGE_BAN:
		message.ban = (struct ban_message){ loopback(0), 1 };
		break;
	case MESSAGE_OPEN_BANNER:
		message.banner.service = number_of(PROGRAM);
		break;
	case MESSAGE_ASK_LIBWRAP:
	case MESSAGE_FORGET_LIBWRAP:
		message.libwrap.service = number_of(PROGRAM);
		message.libwrap.peer = message.libwrap.local = loopback(1);
		break;
	case MESSAGE_LET_IN:
	case MESSAGE_LET_OUT:
		message.gate.service = number_of(PROGRAM);
		break;
	default:
		break;
	}
	return message;
}

/* A launch has its connection; other messages have no descriptor. */
static void say(const struct message *message)
{
	own_frontend_say(message, &connection,
			 message->kind == MESSAGE_LAUNCH ||
				 message->kind == MESSAGE_LAUNCH_PROXIED);
}

/* --- results ----------------------------------------------------------------------- */

static void check_no_program(void)
{
	ck_assert_uint_eq(launcher_count(), 0);
	ck_assert_uint_eq(children_count(), 0);
	ck_assert_uint_eq(children_counted(), 0);
}

static void check_distrusted(const char *reason)
{
	own_frontend_wait_read();
	ck_assert_msg(!frontend_process_is_ready(), "it is still trusted");
	wait_until(!own_frontend_is_heard());
	ck_assert_msg(strstr(own_frontend_log(), reason) != NULL, "%s is not in %s", reason,
		      own_frontend_log());
	check_no_program();
	own_frontend_wait_next();
}

/* --- every kind, with each field at its bounds ------------------------------------- */

enum effect { DISTRUST, ERROR_ANSWER, NOT_STARTED, NOTHING };

#define FIELD(member) offsetof(struct message, member), sizeof((struct message *)0)->member

static const struct field {
	enum message_kind kind;
	size_t offset, size;
	uint64_t value; /* replaces the sound one */
	enum effect effect;
	int error;
	const char *reason;
} fields[] = {
#define NO_ANSWER NOTHING, 0, NULL
#define IS_NO_PEER DISTRUST, 0, "it asks libwrap about what is no address"
#define IS_NO_BANNER DISTRUST, 0, "it asks for a banner that there is not"
#define IS_NOT_GIVEN DISTRUST, 0, "it adopted what it was not given"
#define IS_NO_REASON DISTRUST, 0, "it ends a session for no reason that there is"
#define IS_NO_BAN DISTRUST, 0, "a ban of what is no address"
#define IS_WRONG_COUNT DISTRUST, 0, "a launch with the wrong descriptors"
#define IS_NO_ADDRESS DISTRUST, 0, "a launch with an address that is none"
#define NO_SERVICE DISTRUST, 0, "it names a service that there is not"
#define NUMBERS(kind, member) \
	{ kind, FIELD(member.generation), 0, NO_SERVICE }, \
		{ kind, FIELD(member.generation), 2, NO_SERVICE }, \
		{ kind, FIELD(member.generation), UINT32_MAX, NO_SERVICE }, \
		{ kind, FIELD(member.service), SERVICES, NO_SERVICE }, \
		{ kind, FIELD(member.service), INT32_MAX, NO_SERVICE }, \
	{ \
		kind, FIELD(member.service), UINT32_MAX, NO_SERVICE \
	}
	NUMBERS(MESSAGE_BIND, bind.service),
	NUMBERS(MESSAGE_UNBIND, bind.service),
	NUMBERS(MESSAGE_LAUNCH, launch.service),
	NUMBERS(MESSAGE_LAUNCH_PROXIED, launch.service),
	NUMBERS(MESSAGE_OPEN_BANNER, banner.service),
	NUMBERS(MESSAGE_ASK_LIBWRAP, libwrap.service),
	NUMBERS(MESSAGE_LET_IN, gate.service),
	NUMBERS(MESSAGE_LET_OUT, gate.service),

#define NOT_ALLOWED ERROR_ANSWER, EPERM, NULL
	{ MESSAGE_BIND, FIELD(bind.type), SOCK_DGRAM, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.type), SOCK_RAW, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.type), SOCK_STREAM | SOCK_NONBLOCK, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.type), 0, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.type), UINT32_MAX, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.protocol), 0, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.protocol), IPPROTO_UDP, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.protocol), INT32_MAX, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.length), 0, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.length), 1, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.length), sizeof(struct sockaddr_in6), NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.length), UINT32_MAX, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.any.sa_family), AF_UNIX, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.any.sa_family), AF_INET6, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.any.sa_family), AF_UNSPEC, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.in4.sin_port), 0, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.in4.sin_port), 0x1600, NOT_ALLOWED }, /* 22 */
	{ MESSAGE_BIND, FIELD(bind.address.in4.sin_addr), 0, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.address.in4.sin_addr), 0x0200007f, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.v6only), 1, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.v6only), 255, NOT_ALLOWED },
	{ MESSAGE_BIND, FIELD(bind.is_inner), 1, NOT_ALLOWED },

	{ MESSAGE_UNBIND, FIELD(bind.address.length), UINT32_MAX, NO_ANSWER },
	{ MESSAGE_UNBIND, FIELD(bind.address.any.sa_family), AF_UNIX, NO_ANSWER },
	{ MESSAGE_UNBIND, FIELD(bind.type), UINT32_MAX, NO_ANSWER },
	{ MESSAGE_UNBIND, FIELD(bind.is_inner), 255, NO_ANSWER },

#define NOT_ITS_OWN DISTRUST, 0, "a launch of a session that is not its own"
	{ MESSAGE_LAUNCH, FIELD(launch.session), 0, NOT_ITS_OWN },
	{ MESSAGE_LAUNCH, FIELD(launch.session), 1, NOT_ITS_OWN },
	{ MESSAGE_LAUNCH, FIELD(launch.session), 2ULL << 32, NOT_ITS_OWN },
	{ MESSAGE_LAUNCH, FIELD(launch.session), UINT64_MAX, NOT_ITS_OWN },
	{ MESSAGE_LAUNCH, FIELD(launch.peer.length), 1, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH, FIELD(launch.peer.length), UINT32_MAX, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH, FIELD(launch.peer.any.sa_family), AF_UNIX, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH, FIELD(launch.socket.length), 1, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH, FIELD(launch.waits), 1, IS_WRONG_COUNT },
	{ MESSAGE_LAUNCH, FIELD(launch.waits), 255, IS_WRONG_COUNT },
	{ MESSAGE_LAUNCH, FIELD(launch.logs_errors), 1, IS_WRONG_COUNT },

#define PROXIED(member) MESSAGE_LAUNCH_PROXIED, FIELD(proxied_launch.proxied.member)
#define IS_NO_TEXT DISTRUST, 0, "a launch with a text that is none"
	{ MESSAGE_LAUNCH_PROXIED, FIELD(launch.session), 0, NOT_ITS_OWN },
	{ MESSAGE_LAUNCH_PROXIED, FIELD(launch.waits), 1, DISTRUST, 0,
	  "a launch of a server that accepts its clients, for one of a balancer" },
	{ MESSAGE_LAUNCH_PROXIED, FIELD(launch.peer.length), 0, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH_PROXIED, FIELD(launch.peer.length), 1, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH_PROXIED, FIELD(launch.socket.length), 1, IS_NO_ADDRESS },
	{ MESSAGE_LAUNCH_PROXIED, FIELD(launch.logs_errors), 1, IS_WRONG_COUNT },
	{ PROXIED(proxy.length), 0, IS_NO_ADDRESS },
	{ PROXIED(proxy.length), 1, IS_NO_ADDRESS },
	{ PROXIED(proxy.length), UINT32_MAX, IS_NO_ADDRESS },
	{ PROXIED(proxy.any.sa_family), AF_UNIX, IS_NO_ADDRESS },
	{ PROXIED(local.length), 0, IS_NO_ADDRESS },
	{ PROXIED(local.length), UINT32_MAX, IS_NO_ADDRESS },
	{ PROXIED(local.any.sa_family), AF_INET6, IS_NO_ADDRESS },
	{ PROXIED(facts.unique_id[0]), '\n', IS_NO_TEXT },
	{ PROXIED(facts.unique_id[1]), 0x7f, IS_NO_TEXT },
	{ PROXIED(facts.authority[0]), 0x80, IS_NO_TEXT },
	{ PROXIED(facts.ssl_version[0]), 0xff, IS_NO_TEXT },
	{ PROXIED(facts.ssl_name[0]), 1, IS_NO_TEXT },

	{ MESSAGE_END, FIELD(end.session), 0, NO_ANSWER },
	{ MESSAGE_END, FIELD(end.session), 1ULL << 32, NO_ANSWER },
	{ MESSAGE_END, FIELD(end.session), UINT64_MAX, NO_ANSWER },
	{ MESSAGE_END, FIELD(end.reason), END_REASONS - 1, NO_ANSWER },
	{ MESSAGE_END, FIELD(end.reason), END_REASONS, IS_NO_REASON },
	{ MESSAGE_END, FIELD(end.reason), 255, IS_NO_REASON },

	{ MESSAGE_BAN, FIELD(ban.address.length), 0, NO_ANSWER },
	{ MESSAGE_BAN, FIELD(ban.address.length), 1, IS_NO_BAN },
	{ MESSAGE_BAN, FIELD(ban.address.length), UINT32_MAX, IS_NO_BAN },
	{ MESSAGE_BAN, FIELD(ban.address.any.sa_family), AF_UNIX, IS_NO_BAN },
	{ MESSAGE_BAN, FIELD(ban.until), 0, NO_ANSWER },
	{ MESSAGE_BAN, FIELD(ban.until), UINT64_MAX, NO_ANSWER },

#define IS_NO_UNBAN DISTRUST, 0, "an end of a ban of what is no address"
	{ MESSAGE_UNBAN, FIELD(ban.address.length), 0, NO_ANSWER },
	{ MESSAGE_UNBAN, FIELD(ban.address.length), 1, IS_NO_UNBAN },
	{ MESSAGE_UNBAN, FIELD(ban.address.length), UINT32_MAX, IS_NO_UNBAN },
	{ MESSAGE_UNBAN, FIELD(ban.address.any.sa_family), AF_UNIX, IS_NO_UNBAN },
	{ MESSAGE_UNBAN, FIELD(ban.until), UINT64_MAX, NO_ANSWER },

	{ MESSAGE_OPEN_BANNER, FIELD(banner.which), BANNER_FAIL, ERROR_ANSWER, ENOENT, NULL },
	{ MESSAGE_OPEN_BANNER, FIELD(banner.which), BANNER_KINDS, IS_NO_BANNER },
	{ MESSAGE_OPEN_BANNER, FIELD(banner.which), 255, IS_NO_BANNER },

	{ MESSAGE_ASK_LIBWRAP, FIELD(libwrap.peer.length), 1, IS_NO_PEER },
	{ MESSAGE_ASK_LIBWRAP, FIELD(libwrap.local.length), UINT32_MAX, IS_NO_PEER },
	{ MESSAGE_ASK_LIBWRAP, FIELD(libwrap.local.any.sa_family), AF_UNIX, IS_NO_PEER },
	{ MESSAGE_FORGET_LIBWRAP, FIELD(libwrap.ticket), 0, NO_ANSWER },
	{ MESSAGE_FORGET_LIBWRAP, FIELD(libwrap.ticket), UINT64_MAX, NO_ANSWER },
	{ MESSAGE_FORGET_LIBWRAP, FIELD(libwrap.service), UINT64_MAX, NO_ANSWER },

	{ MESSAGE_LET_IN, FIELD(gate.port), 0, ERROR_ANSWER, ENOENT, NULL },
	{ MESSAGE_LET_IN, FIELD(gate.port), UINT16_MAX, ERROR_ANSWER, ENOENT, NULL },
	{ MESSAGE_LET_OUT, FIELD(gate.port), UINT16_MAX, NO_ANSWER },

	{ MESSAGE_ADOPTED, FIELD(generation.generation), 0, IS_NOT_GIVEN },
	{ MESSAGE_ADOPTED, FIELD(generation.generation), 2, IS_NOT_GIVEN },
	{ MESSAGE_ADOPTED, FIELD(generation.bound), UINT32_MAX, NO_ANSWER },
	{ MESSAGE_REPORTED, FIELD(report.ticket), 0, NO_ANSWER },
	{ MESSAGE_REPORTED, FIELD(report.ticket), UINT64_MAX, NO_ANSWER },
	{ MESSAGE_MEASURED, FIELD(measured.ticket), UINT64_MAX, NO_ANSWER },
	{ MESSAGE_MEASURED, FIELD(measured.error), 0, NO_ANSWER },
	{ MESSAGE_MEASURED, FIELD(measured.error), ENOSPC, NO_ANSWER },
	{ MESSAGE_MEASURED, FIELD(measured.error), 4096, DISTRUST, 0, "measures with an error" },
	{ MESSAGE_MEASURED, FIELD(measured.error), UINT32_MAX, DISTRUST, 0,
	  "measures with an error" },
	{ MESSAGE_LOGGED, FIELD(logged.count), 0, NO_ANSWER },
	{ MESSAGE_LOGGED, FIELD(logged.count), 1, DISTRUST, 0, "logged what it was not told" },
	{ MESSAGE_LOGGED, FIELD(logged.count), UINT64_MAX, DISTRUST, 0,
	  "logged what it was not told" },
	{ MESSAGE_READY, FIELD(kind), MESSAGE_READY, DISTRUST, 0, "it is ready twice" },
	{ MESSAGE_PONG, FIELD(kind), MESSAGE_PONG, DISTRUST, 0, "it answers before it is asked" },
};

static struct message with_field(const struct field *field)
{
	struct message message = sound(field->kind);
	uint64_t value = field->value;
	uint32_t half = (uint32_t)value;
	uint16_t quarter = (uint16_t)value;
	uint8_t eighth = (uint8_t)value;
	const void *const bytes[] = { [1] = &eighth, [2] = &quarter, [4] = &half, [8] = &value };

	memcpy((char *)&message + field->offset, bytes[field->size], field->size);
	return message;
}

static int error_in(enum message_kind kind)
{
	static const enum message_kind answers[MESSAGE_FROM_FRONTEND] = {
		[MESSAGE_BIND] = MESSAGE_NOT_BOUND,
		[MESSAGE_OPEN_BANNER] = MESSAGE_BANNER,
		[MESSAGE_LET_IN] = MESSAGE_GATE,
	};
	unsigned count;
	struct message answer = own_frontend_hear(answers[kind], &count);

	ck_assert_uint_eq(count, 0);
	return kind == MESSAGE_BIND     ? answer.bind.error
	       : kind == MESSAGE_LET_IN ? answer.gate.error
					: answer.banner.error;
}

START_TEST(believes_no_field)
{
	const struct field *field = &fields[_i];
	struct message message = with_field(field);
	unsigned before = own_descriptors();

	say(&message);
	if (field->effect == DISTRUST) {
		check_distrusted(field->reason);
	} else if (field->effect == ERROR_ANSWER) {
		ck_assert_int_eq(error_in(field->kind), field->error);
		ck_assert(own_frontend_is_heard());
	} else {
		ck_assert_uint_eq(own_frontend_drain(), 0);
		ck_assert(own_frontend_is_heard());
	}
	check_no_program();
	for (int i = 0; i < SERVICES; i++)
		ck_assert(!port_is_served("tcp", ports[i]) && !port_is_served("udp", ports[i]));
	ck_assert_uint_eq(own_descriptors(), before);
}
END_TEST

/* --- messages of the wrong shape, and at the wrong time ---------------------------- */

static const struct {
	const char *what;
	int difference; /* in size */
	unsigned count; /* of descriptors above the maximum */
	const char *reason;
} shapes[] = {
	{ "one byte short", -1, 0, "a message of the wrong size" },
	{ "one byte long", 1, 0, "a message of the wrong size" },
	{ "much too long", 5000, 0, "a message of the wrong size" },
	{ "a descriptor too many", 0, 1, "a message with the wrong number of descriptors" },
	{ "ten descriptors too many", 0, 10, "a message with the wrong number of descriptors" },
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* READY consists of its kind only. */
static const char *reason_for(unsigned kind, const char *reason, int difference)
{
	bool has_no_kind = difference < 0 && message_shape(kind)->size == sizeof kind;

	return has_no_kind ? "a message without a kind" : reason;
}

START_TEST(refuses_what_has_the_wrong_shape)
{
	static union {
		struct message message;
		char bytes[sizeof(struct message) + 8192];
	} sent;
	unsigned kind = (unsigned)_i / SHAPES, which = (unsigned)_i % SHAPES;
	const struct message_shape *shape = message_shape(kind);
	unsigned before = own_descriptors(), count = shapes[which].count;
	int descriptors[16];

	for (int i = 0; i < 16; i++)
		descriptors[i] = STDERR_FILENO;
	sent.message = sound(kind);
	if (count > 0)
		count += shape->descriptors_max;
	own_frontend_say_raw(&sent, (size_t)((int)shape->size + shapes[which].difference),
			     descriptors, count);
	check_distrusted(reason_for(kind, shapes[which].reason, shapes[which].difference));
	ck_assert_uint_eq(own_descriptors(), before);
}
END_TEST

static const uint32_t no_kinds[] = {
	MESSAGE_FROM_FRONTEND, MESSAGE_GENERATION, MESSAGE_ENDED, MESSAGE_STOP,
	MESSAGE_KINDS,         INT32_MAX,          UINT32_MAX,
};

START_TEST(refuses_kinds_that_are_none_of_the_frontends)
{
	union {
		uint32_t kind;
		struct message message;
	} sent = { .message = { .kind = 0 } };

	sent.kind = no_kinds[_i];
	own_frontend_say_raw(&sent, sizeof sent, &connection, 1);
	check_distrusted("a message of an unknown kind");
}
END_TEST

START_TEST(hears_nothing_before_it_is_ready)
{
	struct message message;
	unsigned before;

	if (_i == MESSAGE_READY)
		return;
	own_frontend_hear(MESSAGE_START, NULL);
	before = own_descriptors();
	message = sound((enum message_kind)_i);
	say(&message);
	check_distrusted("it asks for something before it is ready");
	ck_assert_uint_eq(own_descriptors(), before);
	for (int i = 0; i < SERVICES; i++)
		ck_assert(!port_is_served("tcp", ports[i]));
}
END_TEST

/* --- what a program gets ----------------------------------------------------------- */

static int unbound_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int listening_socket(void)
{
	int fd = unbound_socket();

	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* Of another type than the service's. */
static int datagram_socket(void)
{
	struct address here = loopback(0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, &here.any, here.length), 0);
	return fd;
}

static int end_of_pair(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[1]);
	return ends[0];
}

static int end_of_pipe(int which)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1 - which]);
	return ends[which];
}

static int read_end(void)
{
	return end_of_pipe(0);
}

static int write_end(void)
{
	return end_of_pipe(1);
}

static int a_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int a_directory(void)
{
	return open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
}

static int a_device(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int the_connection(void)
{
	return fcntl(connection, F_DUPFD_CLOEXEC, 0);
}

/* Both ends of one pipe, the write end first. */
static int own_pipe[2];

static int first_of_pipe(void)
{
	ck_assert_int_eq(pipe2(own_pipe, O_CLOEXEC), 0);
	return own_pipe[1];
}

static int second_of_pipe(void)
{
	return own_pipe[0];
}

/* The wrong way round. */
static int first_of_swapped(void)
{
	ck_assert_int_eq(pipe2(own_pipe, O_CLOEXEC), 0);
	return own_pipe[0];
}

static int second_of_swapped(void)
{
	return own_pipe[1];
}

#define NO_CONNECTION "a launch on what is no connection"
#define WRONG_COUNT "a launch with the wrong descriptors"
#define NO_PIPE "a launch with a standard error that is no pipe"

static const struct {
	int (*open[MESSAGE_DESCRIPTORS_MAX])(void);
	bool logs_errors;
	const char *fault; /* NULL: there is only a mismatch */
	const char *mismatch;
} gifts[] = {
	{ { NULL }, false, WRONG_COUNT, NULL },
	{ { the_connection, the_connection }, false, WRONG_COUNT, NULL },
	{ { the_connection, first_of_pipe, second_of_pipe }, false, WRONG_COUNT, NULL },
	{ { the_connection }, true, WRONG_COUNT, NULL },
	{ { first_of_pipe, second_of_pipe }, true, WRONG_COUNT, NULL },
	{ { a_file }, false, NO_CONNECTION, NULL },
	{ { a_directory }, false, NO_CONNECTION, NULL },
	{ { a_device }, false, NO_CONNECTION, NULL },
	{ { read_end }, false, NO_CONNECTION, NULL },
	{ { write_end }, false, NO_CONNECTION, NULL },
	{ { end_of_pair }, false, NO_CONNECTION, NULL },
	{ { unbound_socket }, false, NO_CONNECTION, NULL },
	{ { listening_socket }, false, NO_CONNECTION, NULL },
	{ { own_frontend_channel }, false, NO_CONNECTION, NULL },
	{ { datagram_socket }, false, NULL, "the service's socket_type has changed" },
	{ { the_connection, a_file, a_file }, true, NO_PIPE, NULL },
	{ { the_connection, the_connection, the_connection }, true, NO_PIPE, NULL },
	{ { the_connection, write_end, read_end }, true, NO_PIPE, NULL },
	{ { the_connection, first_of_swapped, second_of_swapped }, true, NO_PIPE, NULL },
	{ { the_connection, first_of_pipe, second_of_pipe },
	  true,
	  NULL,
	  "the service's stderr has changed" },
};

static void check_not_started(uint64_t session, const char *step, const char *reason)
{
	struct message answer = own_frontend_hear(MESSAGE_NOT_STARTED, NULL);

	ck_assert_uint_eq(answer.program.session, session);
	ck_assert_str_eq(answer.program.step, step);
	ck_assert_str_eq(answer.program.reason, reason);
	ck_assert(answer.program.no_process);
	ck_assert(own_frontend_is_heard());
}

START_TEST(gives_programs_nothing_but_connections)
{
	struct message message = launch_of(PROGRAM);
	unsigned before = own_descriptors(), count = 0;
	int given[MESSAGE_DESCRIPTORS_MAX];

	for (; count < MESSAGE_DESCRIPTORS_MAX && gifts[_i].open[count]; count++)
		given[count] = gifts[_i].open[count]();
	message.launch.logs_errors = gifts[_i].logs_errors;
	own_frontend_say(&message, given, count);
	channel_close_descriptors(given, count);
	if (gifts[_i].fault)
		check_distrusted(gifts[_i].fault);
	else
		check_not_started(message.launch.session, "settings", gifts[_i].mismatch);
	check_no_program();
	ck_assert_uint_eq(own_descriptors(), before);
}
END_TEST

static const struct {
	uint32_t service;
	bool waits, is_inner;
	const char *reason;
} mismatches[] = {
	{ PROGRAM, true, false, "whether the service waits has changed" },
	{ WAIT, false, false, "whether the service waits has changed" },
	{ WAIT, true, true, "the service's INTERCEPT has changed" },
	{ INTERCEPT, true, false, "the service's INTERCEPT has changed" },
	{ INTERCEPT, false, false, "whether the service waits has changed" },
	{ BUILT_IN, false, false, "the service has no program" },
	{ BUILT_IN, true, false, "the service has no program" },
};

START_TEST(starts_programs_in_no_other_way_than_their_own)
{
	struct message message = launch_of(mismatches[_i].service);
	unsigned before = own_descriptors();

	message.launch.waits = mismatches[_i].waits;
	message.launch.is_inner = mismatches[_i].is_inner;
	own_frontend_say(&message, &connection, message.launch.waits ? 0 : 1);
	check_not_started(message.launch.session, "settings", mismatches[_i].reason);
	check_no_program();
	ck_assert_uint_eq(own_descriptors(), before);
}
END_TEST

#define FACT(member) offsetof(struct proxy_facts, member), sizeof((struct proxy_facts *)0)->member

static const struct {
	size_t offset, size;
} texts[] = {
	{ FACT(unique_id) },
	{ FACT(authority) },
	{ FACT(ssl_version) },
	{ FACT(ssl_name) },
};

START_TEST(believes_no_text_without_an_end)
{
	struct message message = proxied_launch_of(PROGRAM);

	memset((char *)&message.proxied_launch.proxied.facts + texts[_i].offset, 'x',
	       texts[_i].size);
	say(&message);
	check_distrusted("a launch with a text that is none");
	check_no_program();
}
END_TEST

START_TEST(knows_which_services_have_balancers)
{
	struct message message = proxied_launch_of(PROGRAM);

	say(&message);
	check_not_started(message.launch.session, "settings",
			  "the service's proxy_protocol has changed");
	check_no_program();
}
END_TEST

START_TEST(has_no_socket_for_a_server_that_was_not_asked_for)
{
	struct message message = launch_of(WAIT);

	own_frontend_say(&message, NULL, 0);
	ck_assert_str_eq(own_frontend_hear(MESSAGE_NOT_STARTED, NULL).program.step, "descriptors");
	check_no_program();
}
END_TEST

/* A frontend, or a program, may have set SO_LINGER; then close(2) of the last descriptor waits
 * for the peer, who never reads. */
START_TEST(never_waits_for_the_peer_of_a_connection)
{
	const struct linger long_time = { .l_onoff = 1, .l_linger = 3600 };
	struct message message = launch_of(BUILT_IN);
	static char bytes[1 << 20];
	uint64_t before = clock_read();

	message.launch.waits = false;
	ck_assert_int_eq(setsockopt(connection, SOL_SOCKET, SO_LINGER, &long_time,
				    sizeof long_time),
			 0);
	while (send(connection, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		continue;
	own_frontend_say(&message, &connection, 1);
	/* Without SIGALRM the old monitor would wait here for an hour. */
	signal(SIGALRM, SIG_DFL);
	alarm(20);
	dup2(STDERR_FILENO, connection);
	check_not_started(message.launch.session, "settings", "the service has no program");
	ck_assert_uint_lt(clock_read() - before, 10000);
	check_no_program();
}
END_TEST

/* --- programs that run ------------------------------------------------------------- */

static void ask_launch(const struct message *message)
{
	own_frontend_say(message, &connection, message->launch.waits ? 0 : 1);
}

static struct message launched(uint32_t service)
{
	struct message message = launch_of(service), answer;

	ask_launch(&message);
	answer = own_frontend_hear(MESSAGE_STARTED, NULL);
	ck_assert_uint_eq(answer.program.session, message.launch.session);
	ck_assert(process_runs(answer.program.pid));
	return message;
}

static void end_program(uint64_t session)
{
	own_frontend_say(&(struct message){ .kind = MESSAGE_END,
					    .end = { .session = session, .at_once = true } },
			 NULL, 0);
}

static void hear_end(uint64_t session)
{
	struct message answer = own_frontend_hear(MESSAGE_ENDED, NULL);

	ck_assert_uint_eq(answer.program.session, session);
	ck_assert_int_eq(answer.program.status, SIGKILL);
	own_frontend_say_logged();
	own_frontend_wait_read();
}

static void bind_socket(uint32_t service)
{
	struct message message = bind_of(service);
	unsigned count;

	own_frontend_say(&message, NULL, 0);
	own_frontend_hear(MESSAGE_BOUND, &count);
	ck_assert_uint_eq(count, 1);
}

START_TEST(keeps_to_instances)
{
	struct message one = launched(PROGRAM), other = launched(PROGRAM);
	struct message more = launch_of(PROGRAM);
	unsigned before = own_descriptors();

	ask_launch(&more);
	check_not_started(more.launch.session, "limit", "as many run as instances allows");
	ck_assert_uint_eq(own_descriptors(), before);
	ck_assert_uint_eq(children_counted(), INSTANCES);
	end_program(one.launch.session);
	hear_end(one.launch.session);
	more = launched(PROGRAM);
	end_program(other.launch.session);
	hear_end(other.launch.session);
	end_program(more.launch.session);
	hear_end(more.launch.session);
	check_no_program();
}
END_TEST

/* Programs that are being started count too. */
START_TEST(keeps_to_instances_in_a_flood)
{
	unsigned started = 0, refused = 0;

	for (int i = 0; i < 200; i++) {
		struct message message = launch_of(PROGRAM);

		ask_launch(&message);
	}
	own_frontend_wait_read();
	ck_assert_uint_le(children_counted(), INSTANCES);
	while (started + refused < 200) {
		struct message answer = own_frontend_hear_any(NULL);

		started += answer.kind == MESSAGE_STARTED;
		refused += answer.kind == MESSAGE_NOT_STARTED;
		ck_assert_uint_le(started, INSTANCES);
	}
	ck_assert_uint_eq(started, INSTANCES);
	ck_assert_uint_eq(children_count(), INSTANCES);
}
END_TEST

START_TEST(keeps_to_the_limit_of_processes)
{
	struct message more;

	bind_socket(WAIT);
	for (int i = 0; i < LIMIT; i++)
		launched(WAIT);
	more = launch_of(PROGRAM);
	ask_launch(&more);
	check_not_started(more.launch.session, "limit", "as many run as -limit allows");
	ck_assert_uint_eq(children_counted(), LIMIT);
	bind_socket(INTERCEPT); /* for clients that were let in before */
	launched(INTERCEPT);
}
END_TEST

/* The instances are clients, not the servers that they are passed on to. */
START_TEST(starts_few_servers_for_intercept)
{
	struct message more;

	own_frontend_options.process_limit = 0;
	bind_socket(INTERCEPT);
	for (int i = 0; i < 8; i++)
		launched(INTERCEPT);
	more = launch_of(INTERCEPT);
	ask_launch(&more);
	check_not_started(more.launch.session, "limit", "as many run as instances allows");
}
END_TEST

START_TEST(starts_a_session_once)
{
	struct message message = launched(PROGRAM);

	ask_launch(&message);
	own_frontend_wait_read();
	ck_assert(!frontend_process_is_ready());
	ck_assert_ptr_nonnull(strstr(own_frontend_log(), "a launch of a session that there is"));
	ck_assert_uint_eq(children_count(), 1);
}
END_TEST

/* --- one frontend after another ---------------------------------------------------- */

START_TEST(tells_the_next_one_what_runs_and_no_session_of_it_is_new)
{
	struct message message = launched(PROGRAM);

	own_frontend_kill();
	own_frontend_wait_next();
	own_frontend_get_ready();
	ck_assert_uint_eq(own_frontend_hear(MESSAGE_SESSION, NULL).program.session,
			  message.launch.session);
	end_program(message.launch.session);
	hear_end(message.launch.session);
	ask_launch(&message);
	check_distrusted("a launch of a session that is not its own");
}
END_TEST

/* A program ends while no frontend can be told. */
START_TEST(tells_the_next_one_what_has_ended_meanwhile)
{
	struct message message = launched(PROGRAM);
	struct child *child = child_of_session(message.launch.session);

	if (_i == 0)
		own_frontend_say(&(struct message){ .kind = MESSAGE_READY }, NULL, 0); /* twice */
	else
		own_frontend_close();
	if (_i == 0)
		own_frontend_wait_read();
	ck_assert_int_eq(kill(child->pid, SIGKILL), 0);
	wait_until(process_state(child->pid) == 'Z');
	session_messages_child_ended(child->pid, SIGKILL, &(struct program_usage){ 0 });
	ck_assert_ptr_eq(child_of_session(message.launch.session), child);
	own_frontend_kill();
	own_frontend_wait_next();
	own_frontend_get_ready();
	ck_assert_uint_eq(own_frontend_hear(MESSAGE_SESSION, NULL).program.session,
			  message.launch.session);
	hear_end(message.launch.session);
	check_no_program();
}
END_TEST

static void replace_frontend(void)
{
	own_frontend_kill();
	own_frontend_wait_next();
	own_frontend_get_ready();
}

static const struct {
	bool logs_start, hears_end;
} deaths[] = { { false, false }, { true, false }, { false, true }, { true, true } };

START_TEST(tells_the_next_one_what_was_not_logged)
{
	uint64_t session = launched(PROGRAM).launch.session;
	struct message message;

	if (deaths[_i].logs_start)
		own_frontend_say_logged(); /* and may die before the monitor reads it */
	if (deaths[_i].hears_end) {
		end_program(session);
		own_frontend_hear(MESSAGE_ENDED, NULL);
	}
	replace_frontend();
	message = own_frontend_hear(MESSAGE_SESSION, NULL);
	ck_assert_uint_eq(message.program.session, session);
	ck_assert_uint_eq(message.program.is_news, !deaths[_i].logs_start);
	if (!deaths[_i].hears_end)
		end_program(session);
	hear_end(session);
	check_no_program();
}
END_TEST

/* The second one has logged nothing, as it was told nothing new. */
START_TEST(tells_the_third_one_of_no_start_that_the_first_one_has_logged)
{
	uint64_t session = launched(PROGRAM).launch.session;

	own_frontend_say_logged();
	own_frontend_wait_read();
	for (int i = 0; i < 2; i++) {
		struct message message;

		replace_frontend();
		message = own_frontend_hear(MESSAGE_SESSION, NULL);
		ck_assert_uint_eq(message.program.session, session);
		ck_assert_uint_eq(message.program.is_news, 0);
	}
	end_program(session);
	hear_end(session);
}
END_TEST

START_TEST(does_not_tell_the_next_one_what_was_logged)
{
	uint64_t session = launched(PROGRAM).launch.session;

	end_program(session);
	own_frontend_hear(MESSAGE_ENDED, NULL);
	ck_assert_uint_eq(children_counted(), 0);
	ck_assert_uint_eq(children_count(), 1);
	own_frontend_say_logged();
	own_frontend_kill(); /* before the monitor has read it */
	own_frontend_wait_next();
	own_frontend_get_ready();
	ck_assert_uint_eq(own_frontend_drain(), 0);
	check_no_program();
}
END_TEST

START_TEST(distrusts_one_that_takes_back_what_it_has_logged)
{
	launched(PROGRAM);
	own_frontend_say_logged();
	own_frontend_say(&(struct message){ .kind = MESSAGE_LOGGED }, NULL, 0);
	own_frontend_wait_read();
	ck_assert(!frontend_process_is_ready());
	ck_assert_ptr_nonnull(strstr(own_frontend_log(), "logged what it was not told"));
}
END_TEST

static void end_unheard(uint64_t session)
{
	pid_t pid = child_of_session(session)->pid;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	wait_until(process_state(pid) == 'Z');
	session_messages_child_ended(pid, SIGKILL, &(struct program_usage){ 0 });
	waitpid(pid, NULL, WNOHANG);
}

/* The size of the next packet; -1: there is none. */
static ssize_t next_packet(int channel)
{
	return recv(channel, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
}

START_TEST(ends_of_one_turn_come_in_one_packet)
{
	uint64_t first = launched(PROGRAM).launch.session;
	uint64_t second = launched(PROGRAM).launch.session;
	int channel = own_frontend_channel();

	end_unheard(first);
	end_unheard(second);
	ck_assert_int_eq(next_packet(channel), -1);
	ck_assert_uint_eq(children_count(), 2);
	loop_turn(0);
	ck_assert_int_eq(next_packet(channel), 2 * (ssize_t)message_shape(MESSAGE_ENDED)->size);
	hear_end(first);
	hear_end(second);
	ck_assert_uint_eq(children_count(), 0);
	close(channel);
}
END_TEST

/* It may be told of an end before the turn is over. */
START_TEST(what_it_knows_to_have_ended_leaves_room)
{
	struct message one = launched(PROGRAM), more;

	launched(PROGRAM);
	more = launch_of(PROGRAM);
	end_unheard(one.launch.session);
	frontend_process_take_back();
	hear_end(one.launch.session);
	ask_launch(&more);
	ck_assert_uint_eq(own_frontend_hear(MESSAGE_STARTED, NULL).program.session,
			  more.launch.session);
}
END_TEST

START_TEST(lets_go_of_what_has_ended_when_there_is_no_next_one)
{
	struct message message = launched(PROGRAM);
	struct child *child = child_of_session(message.launch.session);

	own_frontend_say(&(struct message){ .kind = MESSAGE_READY }, NULL, 0);
	own_frontend_wait_read();
	ck_assert_int_eq(kill(child->pid, SIGKILL), 0);
	wait_until(process_state(child->pid) == 'Z');
	session_messages_child_ended(child->pid, SIGKILL, &(struct program_usage){ 0 });
	ck_assert_uint_eq(children_count(), 1);
	ending_begin();
	wait_until(({
		own_frontend_reap();
		frontend_process_pid() == 0;
	}));
	ck_assert_uint_eq(children_count(), 0);
}
END_TEST

/* --- one generation after another -------------------------------------------------- */

static void adopt(uint32_t number)
{
	own_frontend_say(&(struct message){ .kind = MESSAGE_ADOPTED,
					    .generation = { .generation = number } },
			 NULL, 0);
}

START_TEST(goes_by_the_newest_generation)
{
	struct message late = bind_of(PROGRAM), launch = launch_of(PROGRAM);

	own_frontend_reload("%s", services("nice = 1\n"));
	own_frontend_say(&late, NULL, 0);
	ck_assert_int_eq(own_frontend_hear(MESSAGE_NOT_BOUND, NULL).bind.error, ESTALE);
	late.kind = MESSAGE_UNBIND;
	own_frontend_say(&late, NULL, 0);
	ask_launch(&launch);
	own_frontend_hear(MESSAGE_STARTED, NULL);
	ck_assert(!children_have_room(PROGRAM, 1));
	adopt(own_frontend_generation());
	own_frontend_wait_read();
	launch.launch.session = own_frontend_session();
	ask_launch(&launch);
	own_frontend_wait_read();
	ck_assert(!frontend_process_is_ready());
	ck_assert_ptr_nonnull(strstr(own_frontend_log(), "it names a service that there is not"));
}
END_TEST

static bool has_no_terminals(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master >= 0)
		close(master);
	return master < 0;
}

/* Nothing of it stays here: what the frontend closes is hung up. */
START_TEST(a_terminal_comes_with_the_start)
{
	struct message launch;
	unsigned count, before;

	if (has_no_terminals())
		return;
	own_frontend_reload("%s", services("pty = yes\n"));
	adopt(own_frontend_generation());
	own_frontend_hear(MESSAGE_LOADED, NULL);
	own_frontend_wait_read();
	launch = launch_of(PROGRAM);
	before = process_descriptors(getpid());
	ask_launch(&launch);
	own_frontend_hear(MESSAGE_STARTED, &count);
	ck_assert_uint_eq(count, 1);
	/* By the signal, or as it finds its terminal gone before that comes. */
	own_frontend_hear(MESSAGE_ENDED, NULL);
	ck_assert_uint_le(process_descriptors(getpid()), before);
}
END_TEST

static void ask_reload(uint64_t ticket)
{
	own_frontend_say(&(struct message){ .kind = MESSAGE_RELOAD,
					    .reload = { .ticket = ticket } },
			 NULL, 0);
}

/* Whatever the tickets are, one reload answers all that came before it. */
START_TEST(reloads_when_it_is_asked_to)
{
	struct message answer;
	unsigned count;

	ask_reload(7);
	ask_reload(0);
	own_frontend_hear(MESSAGE_GENERATION, NULL);
	own_frontend_hear(MESSAGE_ADOPT, NULL);
	adopt(own_frontend_generation());
	answer = own_frontend_hear(MESSAGE_LOADED, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(answer.reload.ticket, 7);
	ck_assert(answer.reload.is_loaded && answer.reload.kept == SERVICES);
	ck_assert_uint_eq(answer.reload.errors + answer.reload.added + answer.reload.changed, 0);
	place_write("usherd.conf", "defaults\n{\ncps = nonsense\n}\n");
	ask_reload(UINT64_MAX);
	own_frontend_hear(MESSAGE_ADOPT, NULL);
	answer = own_frontend_hear(MESSAGE_LOADED, &count);
	ck_assert_uint_eq(answer.reload.ticket, UINT64_MAX);
	ck_assert(!answer.reload.is_loaded && answer.reload.errors == 1);
}
END_TEST

/* Programs that are being started keep the generation of their service. */
START_TEST(reloads_when_there_is_room_for_a_generation)
{
	struct region *taken[REGIONS];
	unsigned count = 0;

	while (regions_have_room())
		taken[count++] = region_new();
	ck_assert_uint_ge(count, 1);
	ask_reload(1);
	wait_until(({
		ck_assert_uint_eq(own_frontend_drain(), 0);
		strstr(own_frontend_log(), "a reload waits: ");
	}));
	region_free(taken[--count]);
	own_frontend_hear(MESSAGE_GENERATION, NULL);
	own_frontend_hear(MESSAGE_ADOPT, NULL);
	adopt(own_frontend_generation());
	ck_assert(own_frontend_hear(MESSAGE_LOADED, NULL).reload.is_loaded);
	while (count > 0)
		region_free(taken[--count]);
}
END_TEST

/* A worker may hang at the file for ever. */
START_TEST(a_banner_that_is_opened_keeps_no_generation)
{
	const struct generation *generation = configuration_current();
	const struct message message = sound(MESSAGE_OPEN_BANNER);
	struct region *region = region_of(generation);
	unsigned users = region->users;

	banners_open(generation->services[PROGRAM], &message.banner);
	ck_assert_uint_eq(region->users, users);
	own_frontend_hear(MESSAGE_BANNER, NULL);
}
END_TEST

/* Each reload reads all files. */
START_TEST(does_not_reload_without_end)
{
	unsigned reloads = 0;

	place_write("usherd.conf", "defaults\n{\ncps = nonsense\n}\n");
	for (uint64_t end = clock_read() + RELOADS_APART_MS * 3 / 2, i = 0; clock_read() < end;
	     i++) {
		ask_reload(i);
		reloads += own_frontend_drain() / 2;
	}
	ck_assert_uint_ge(reloads, 1);
	ck_assert_uint_le(reloads, 3);
	ck_assert(own_frontend_is_heard());
}
END_TEST

/* Programs still count when a reload changes the number of their service. */
START_TEST(counts_under_new_numbers)
{
	struct message launch;
	int first = port_take();

	launched(PROGRAM);
	launched(PROGRAM);
	own_frontend_reload("service echo\n{\nid = first\ntype = INTERNAL UNLISTED\nport = %d\n"
			    "socket_type = stream\nprotocol = tcp\nwait = no\n}\n%s",
			    first, services(""));
	launch = launch_of(PROGRAM + 1);
	launch.launch.waits = false;
	own_frontend_say(&launch, &connection, 1);
	check_not_started(launch.launch.session, "limit", "as many run as instances allows");
}
END_TEST

static int instructions_of_gate(uint32_t service)
{
	struct bind_message inner = bind_of(INTERCEPT).bind;
	socklen_t count = 0;

	ck_assert_int_eq(getsockopt(binder_socket(service, &inner), SOL_SOCKET, SO_GET_FILTER, NULL,
				    &count),
			 0);
	return (int)count;
}

/* Clients of INTERCEPT come and go while the frontend does not know of a reload yet. */
START_TEST(knows_the_gate_of_a_service_with_a_new_number)
{
	struct message message = { .kind = MESSAGE_LET_IN };
	int first = port_take(), before;

	bind_socket(INTERCEPT);
	before = instructions_of_gate(INTERCEPT);
	message.gate = (struct gate_message){ .service = number_of(INTERCEPT), .port = 1 };
	own_frontend_say(&message, NULL, 0);
	ck_assert_int_eq(own_frontend_hear(MESSAGE_GATE, NULL).gate.error, 0);
	own_frontend_reload("service echo\n{\nid = first\ntype = INTERNAL UNLISTED\nport = %d\n"
			    "socket_type = stream\nprotocol = tcp\nwait = no\n}\n%s",
			    first, services(""));
	message.gate.port = 2;
	own_frontend_say(&message, NULL, 0);
	ck_assert_int_eq(own_frontend_hear(MESSAGE_GATE, NULL).gate.error, 0);
	ck_assert_int_gt(instructions_of_gate(INTERCEPT + 1), before);
	message.kind = MESSAGE_LET_OUT;
	own_frontend_say(&message, NULL, 0);
	message.gate.port = 1;
	own_frontend_say(&message, NULL, 0);
	own_frontend_wait_read();
	ck_assert_int_eq(instructions_of_gate(INTERCEPT + 1), before);
}
END_TEST

/* A frontend that does not adopt can start only as many programs as instances allows. */
START_TEST(keeps_to_the_instances_of_what_a_reload_removes)
{
	struct message message = launch_of(PROGRAM);

	own_frontend_reload("# nothing\n");
	for (int i = 0; i < INSTANCES; i++) {
		message.launch.session = own_frontend_session();
		ask_launch(&message);
		own_frontend_hear(MESSAGE_STARTED, NULL);
	}
	message.launch.session = own_frontend_session();
	ask_launch(&message);
	check_not_started(message.launch.session, "limit", "as many run as instances allows");
}
END_TEST

/* --- floods ------------------------------------------------------------------------ */

START_TEST(answers_a_flood_until_nobody_hears_it)
{
	struct message message = sound(_i == 0 ? MESSAGE_LET_IN : MESSAGE_OPEN_BANNER);
	unsigned sent = 0;

	for (; sent < 4 * CHANNEL_WAITING_MAX && frontend_process_is_ready(); sent++) {
		own_frontend_say(&message, NULL, 0);
		loop_turn(0);
	}
	wait_until(({
		loop_turn(10);
		!frontend_process_is_ready();
	}));
	ck_assert_ptr_nonnull(strstr(own_frontend_log(), "to the frontend can't be sent"));
	own_frontend_wait_next();
}
END_TEST

START_TEST(reads_a_flood_in_turns)
{
	struct message ban = sound(MESSAGE_BAN);
	unsigned before = own_descriptors();

	for (uint32_t i = 0; i < 50000; i++) {
		ban.ban.address.in4.sin_addr.s_addr = htonl(0x0a000000 + i);
		ban.ban.until = UINT64_MAX;
		own_frontend_say(&ban, NULL, 0);
	}
	own_frontend_wait_read();
	ck_assert(own_frontend_is_heard());
	ck_assert_uint_eq(own_frontend_drain(), 0);
	ck_assert_uint_eq(own_descriptors(), before);
}
END_TEST

#define LOOP(tests, test, table) \
	tcase_add_loop_test(tests, test, 0, (int)(sizeof table / sizeof table[0]))

Suite *requests_suite(void)
{
	Suite *suite = suite_create("requests");
	TCase *silent = tcase_create("silent"), *tests = tcase_create("requests");

	own_frontend_keep_descriptors();
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(silent, setup_silent, teardown);
	tcase_add_loop_test(silent, hears_nothing_before_it_is_ready, 0, MESSAGE_FROM_FRONTEND);
	suite_add_tcase(suite, silent);
	tcase_add_checked_fixture(tests, setup, teardown);
	LOOP(tests, believes_no_field, fields);
	tcase_add_loop_test(tests, refuses_what_has_the_wrong_shape, 0,
			    MESSAGE_FROM_FRONTEND * SHAPES);
	LOOP(tests, refuses_kinds_that_are_none_of_the_frontends, no_kinds);
	LOOP(tests, gives_programs_nothing_but_connections, gifts);
	tcase_add_test(tests, never_waits_for_the_peer_of_a_connection);
	LOOP(tests, starts_programs_in_no_other_way_than_their_own, mismatches);
	LOOP(tests, believes_no_text_without_an_end, texts);
	tcase_add_test(tests, knows_which_services_have_balancers);
	tcase_add_test(tests, has_no_socket_for_a_server_that_was_not_asked_for);
	tcase_add_test(tests, keeps_to_instances);
	tcase_add_test(tests, keeps_to_instances_in_a_flood);
	tcase_add_test(tests, keeps_to_the_limit_of_processes);
	tcase_add_test(tests, starts_few_servers_for_intercept);
	tcase_add_test(tests, starts_a_session_once);
	tcase_add_test(tests, tells_the_next_one_what_runs_and_no_session_of_it_is_new);
	tcase_add_loop_test(tests, tells_the_next_one_what_has_ended_meanwhile, 0, 2);
	tcase_add_loop_test(tests, tells_the_next_one_what_was_not_logged, 0,
			    sizeof deaths / sizeof deaths[0]);
	tcase_add_test(tests, tells_the_third_one_of_no_start_that_the_first_one_has_logged);
	tcase_add_test(tests, does_not_tell_the_next_one_what_was_logged);
	tcase_add_test(tests, distrusts_one_that_takes_back_what_it_has_logged);
	tcase_add_test(tests, ends_of_one_turn_come_in_one_packet);
	tcase_add_test(tests, what_it_knows_to_have_ended_leaves_room);
	tcase_add_test(tests, lets_go_of_what_has_ended_when_there_is_no_next_one);
	tcase_add_test(tests, goes_by_the_newest_generation);
	tcase_add_test(tests, a_terminal_comes_with_the_start);
	tcase_add_test(tests, reloads_when_it_is_asked_to);
	tcase_add_test(tests, reloads_when_there_is_room_for_a_generation);
	tcase_add_test(tests, a_banner_that_is_opened_keeps_no_generation);
	tcase_add_test(tests, does_not_reload_without_end);
	tcase_add_test(tests, counts_under_new_numbers);
	tcase_add_test(tests, knows_the_gate_of_a_service_with_a_new_number);
	tcase_add_test(tests, keeps_to_the_instances_of_what_a_reload_removes);
	tcase_add_loop_test(tests, answers_a_flood_until_nobody_hears_it, 0, 2);
	tcase_add_test(tests, reads_a_flood_in_turns);
	suite_add_tcase(suite, tests);
	return suite;
}
