#include "monitor/binder.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/sink.h"
#include "monitor/rpc.h"
#include "support/configuration.h"
#include "support/daemon.h"
#include "support/own_frontend.h"
#include "support/place.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static int port;

static void setup(void)
{
	configuration_make();
	load_options.advise = false;
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(log_to_file(place_path("log")), 0);
	port = port_take();
}

static void teardown(void)
{
	binder_close_all();
	configuration_remove();
}

/* Services that listen on the port, with those lines of their own; the first one. */
static struct service_settings *load(const char *lines, const char *more)
{
	const char *ending = textf("user = %s\nserver = /bin/cat\n", current_user());
	struct settings *settings = configuration_load(
		"service one\n{\n%sport = %d\n%s}\nservice two\n{\nid = two\nport = %d\n%s%s}\n",
		ending, port, lines, port, ending, more);

	ck_assert_msg(settings && settings->count > 0, "%s", configuration_complaints_text());
	return settings->services[0];
}

#define STREAM "type = UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = no\n"
#define DATAGRAM "type = UNLISTED\nsocket_type = dgram\nprotocol = udp\nwait = yes\n"
#define INTERCEPT \
	"type = UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = yes\n" \
	"flags = INTERCEPT\n"

/* The ports that may be asked for. */
enum port { OWN, OTHER, NONE };

static struct bind_message wanted(const char *address, enum port which, int type, int protocol)
{
	struct bind_message message = { .type = type, .protocol = protocol };
	int number = which == OWN ? port : which == OTHER ? port + 1 : 0;

	ck_assert_int_eq(address_parse(&message.address, address, (uint16_t)number), 0);
	return message;
}

static struct bind_message wanted_stream(const char *address)
{
	return wanted(address, OWN, SOCK_STREAM, IPPROTO_TCP);
}

static struct bind_message wanted_inner(void)
{
	struct bind_message message = wanted("127.0.0.1", NONE, SOCK_STREAM, IPPROTO_TCP);

	message.is_inner = true;
	return message;
}

/* --- what a service may have ------------------------------------------------------- */

static const struct {
	const char *lines, *address;
	enum port port;
	int type, protocol;
	bool v6only, is_inner;
	bool is_allowed;
} endpoints[] = {
#define TCP SOCK_STREAM, IPPROTO_TCP
#define UDP SOCK_DGRAM, IPPROTO_UDP
	{ STREAM, "0.0.0.0", OWN, TCP, false, false, true },
	{ STREAM, "::", OWN, TCP, false, false, true },
	{ STREAM, "::", OWN, TCP, true, false, false },
	{ STREAM, "127.0.0.1", OWN, TCP, false, false, false },
	{ STREAM, "::1", OWN, TCP, false, false, false },
	{ STREAM, "0.0.0.0", OTHER, TCP, false, false, false },
	{ STREAM, "0.0.0.0", NONE, TCP, false, false, false },
	{ STREAM, "0.0.0.0", OWN, UDP, false, false, false },
	{ STREAM, "0.0.0.0", OWN, SOCK_STREAM, 0, false, false, false },
	{ STREAM, "0.0.0.0", OWN, SOCK_RAW, IPPROTO_TCP, false, false, false },
	{ STREAM, "0.0.0.0", OWN, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP, false, false, false },
	{ STREAM, "127.0.0.1", NONE, TCP, false, true, false },
	{ STREAM "flags = IPv4\n", "0.0.0.0", OWN, TCP, false, false, true },
	{ STREAM "flags = IPv4\n", "::", OWN, TCP, false, false, false },
	{ STREAM "flags = IPv6\n", "::", OWN, TCP, false, false, true },
	{ STREAM "flags = IPv6\n", "0.0.0.0", OWN, TCP, false, false, true },
	{ STREAM "flags = IPv4 IPv6\n", "::", OWN, TCP, false, false, true },
	{ STREAM "flags = IPv6\nbind = localhost\n", "::1", OWN, TCP, false, false, true },
	{ STREAM "flags = IPv6\nbind = localhost\n", "127.0.0.1", OWN, TCP, false, false, false },
	{ STREAM "flags = IPv4\nbind = localhost\n", "127.0.0.1", OWN, TCP, false, false, true },
	{ STREAM "flags = IPv4\nbind = localhost\n", "::1", OWN, TCP, false, false, false },
	{ STREAM "v6only = yes\n", "::", OWN, TCP, true, false, true },
	{ STREAM "bind = 127.0.0.1\n", "127.0.0.1", OWN, TCP, false, false, true },
	{ STREAM "bind = 127.0.0.1\n", "127.0.0.2", OWN, TCP, false, false, false },
	{ STREAM "bind = 127.0.0.1\n", "0.0.0.0", OWN, TCP, false, false, false },
	{ STREAM "bind = 127.0.0.1\n", "::1", OWN, TCP, false, false, false },
	{ STREAM "bind = 127.0.0.1 127.0.0.3\n", "127.0.0.3", OWN, TCP, false, false, true },
	{ STREAM "bind = ::1\n", "::1", OWN, TCP, false, false, true },
	{ STREAM "bind = ::1\n", "127.0.0.1", OWN, TCP, false, false, false },
	{ STREAM "bind = localhost\n", "127.0.0.5", OWN, TCP, false, false, true },
	{ STREAM "bind = localhost\n", "127.0.0.5", OTHER, TCP, false, false, false },
	{ DATAGRAM, "0.0.0.0", OWN, UDP, false, false, true },
	{ DATAGRAM, "0.0.0.0", OWN, TCP, false, false, false },
	{ DATAGRAM, "127.0.0.1", NONE, UDP, false, true, false },
	{ INTERCEPT, "0.0.0.0", OWN, TCP, false, false, true },
	{ INTERCEPT, "127.0.0.1", NONE, TCP, false, true, true },
	{ INTERCEPT, "127.0.0.1", OWN, TCP, false, true, false },
	{ INTERCEPT, "127.0.0.1", OTHER, TCP, false, true, false },
	{ INTERCEPT, "127.0.0.2", NONE, TCP, false, true, false },
	{ INTERCEPT, "0.0.0.0", NONE, TCP, false, true, false },
	{ INTERCEPT, "0.0.0.0", OWN, TCP, false, true, false },
	{ INTERCEPT, "::1", NONE, TCP, false, true, false },
	{ INTERCEPT, "::", NONE, TCP, false, true, false },
	{ INTERCEPT, "127.0.0.1", NONE, TCP, true, true, false },
	{ INTERCEPT, "127.0.0.1", NONE, UDP, false, true, false },
	{ INTERCEPT, "127.0.0.1", NONE, TCP, false, false, false },
};

static void check_bound(const struct bound *bound, const struct bind_message *which)
{
	struct address address;

	ck_assert_int_eq(address_of_socket(bound->fd, &address), 0);
	ck_assert(address_same_host(&address, &which->address));
	ck_assert(which->is_inner ? address_port(&address) != 0 : address_port(&address) == port);
	ck_assert_int_eq(fcntl(bound->fd, F_GETFD), FD_CLOEXEC);
}

START_TEST(opens_what_the_settings_ask_for_and_nothing_else)
{
	struct service_settings *settings = load(endpoints[_i].lines, STREAM "disable = yes\n");
	struct bind_message which = wanted(endpoints[_i].address, endpoints[_i].port,
					   endpoints[_i].type, endpoints[_i].protocol);
	unsigned before = own_descriptors();
	struct bound bound;

	which.v6only = endpoints[_i].v6only;
	which.is_inner = endpoints[_i].is_inner;
	if (endpoints[_i].is_allowed) {
		ck_assert_int_eq(binder_bind(settings, 0, &which, &bound), 0);
		ck_assert(bound.is_new);
		ck_assert_int_eq(binder_bind(settings, 0, &which, &bound), 0);
		ck_assert(!bound.is_new);
		check_bound(&bound, &which);
		ck_assert_int_eq(binder_socket(0, &which), bound.fd);
		binder_unbind(0, &which);
	} else {
		ck_assert_int_eq(binder_bind(settings, 0, &which, &bound), -1);
		ck_assert_int_eq(errno, EPERM);
		ck_assert_int_eq(binder_socket(0, &which), -1);
	}
	ck_assert_uint_eq(own_descriptors(), before);
}
END_TEST

/* ::ffff:0.0.0.0 would be any IPv4 address, and ::ffff:127.0.0.1 has the same socket as
 * 127.0.0.1. */
START_TEST(opens_no_mapped_address)
{
	struct service_settings *settings =
		load(STREAM "bind = 127.0.0.1\n", STREAM "disable = yes\n");
	struct bind_message which = wanted("::1", OWN, SOCK_STREAM, IPPROTO_TCP);
	struct bound bound;

	ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:127.0.0.1", &which.address.in6.sin6_addr), 1);
	ck_assert_int_eq(binder_bind(settings, 0, &which, &bound), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(opens_nothing_for_what_tcpmux_serves)
{
	struct service_settings *settings =
		load("type = TCPMUX UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = no\n",
		     "type = INTERNAL UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = no\n"
		     "disable = yes\n");
	struct bind_message which = wanted_stream("0.0.0.0");
	struct bound bound;

	ck_assert_int_eq(binder_bind(settings, 0, &which, &bound), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* --- who has which ----------------------------------------------------------------- */

static int bind_it(struct service_settings *settings, uint32_t service,
		   const struct bind_message *which)
{
	struct bound bound;

	ck_assert_msg(binder_bind(settings, service, which, &bound) == 0, "errno %d", errno);
	return bound.fd;
}

START_TEST(gives_the_same_socket_again)
{
	struct service_settings *settings = load(STREAM, STREAM "disable = yes\n");
	struct bind_message which = wanted_stream("0.0.0.0");
	int fd = bind_it(settings, 0, &which);

	ck_assert_int_eq(bind_it(settings, 0, &which), fd);
}
END_TEST

START_TEST(passes_a_socket_on_to_the_service_that_asks_for_it)
{
	struct service_settings *settings = load(STREAM, STREAM "disable = yes\n");
	struct bind_message which = wanted_stream("0.0.0.0");
	int fd = bind_it(settings, 0, &which);

	binder_unbind(1, &which); /* which has none */
	ck_assert_int_eq(binder_socket(0, &which), fd);
	ck_assert_int_eq(bind_it(settings, 1, &which), fd);
	ck_assert_int_eq(binder_socket(0, &which), -1);
	binder_unbind(0, &which);
	ck_assert_int_eq(binder_socket(1, &which), fd);
}
END_TEST

START_TEST(gives_each_service_an_inner_socket_of_its_own)
{
	struct service_settings *settings = load(INTERCEPT, INTERCEPT "disable = yes\n");
	struct bind_message which = wanted_inner();
	int fd = bind_it(settings, 0, &which), other = bind_it(settings, 1, &which);

	ck_assert_int_ne(fd, other);
	ck_assert_int_eq(binder_socket(0, &which), fd);
	ck_assert_int_eq(binder_socket(1, &which), other);
}
END_TEST

START_TEST(keeps_sockets_under_their_new_numbers)
{
	static const uint32_t numbers[] = { 1, 0, SERVICE_IS_NEW };
	struct service_settings *settings = load(INTERCEPT, INTERCEPT "disable = yes\n");
	struct bind_message outer = wanted_stream("0.0.0.0"), inner = wanted_inner();
	int fd = bind_it(settings, 0, &outer), own = bind_it(settings, 0, &inner);
	int other = bind_it(settings, 1, &inner), gone = bind_it(settings, 2, &inner);

	binder_renumber(numbers, 3);
	ck_assert_int_eq(binder_socket(1, &outer), fd);
	ck_assert_int_eq(binder_socket(1, &inner), own);
	ck_assert_int_eq(binder_socket(0, &inner), other);
	ck_assert_int_eq(fcntl(gone, F_GETFD), -1);
	ck_assert_uint_eq(binder_sweep(), 0);
}
END_TEST

START_TEST(sweeps_what_nobody_takes)
{
	static const uint32_t numbers[] = { SERVICE_IS_NEW };
	struct service_settings *settings = load(STREAM, STREAM "disable = yes\n");
	struct bind_message which = wanted_stream("0.0.0.0");
	int fd = bind_it(settings, 0, &which);

	binder_renumber(numbers, 1);
	ck_assert_int_eq(binder_socket(0, &which), -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_uint_eq(binder_sweep(), 1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static int lent = -1;
static unsigned taken_back;

static void take_back(void)
{
	ck_assert_int_eq(fcntl(lent, F_GETFD), FD_CLOEXEC);
	taken_back++;
}

START_TEST(says_before_it_closes_a_socket)
{
	static const uint32_t numbers[] = { SERVICE_IS_NEW };
	struct service_settings *settings = load(STREAM, STREAM "disable = yes\n");
	struct bind_message which = wanted_stream("0.0.0.0");

	binder_init(take_back);
	lent = bind_it(settings, 0, &which);
	ck_assert_uint_eq(taken_back, 0);
	binder_unbind(0, &which);
	ck_assert_uint_eq(taken_back, 1);
	lent = bind_it(settings, 0, &which);
	binder_renumber(numbers, 1);
	binder_sweep();
	ck_assert_uint_eq(taken_back, 2);
	binder_init(NULL);
}
END_TEST

/* What is in the way gives way when it is nobody's. */
START_TEST(makes_room_for_another_endpoint_of_the_port)
{
	static const uint32_t numbers[] = { SERVICE_IS_NEW };
	struct service_settings *settings =
		load(STREAM "bind = 127.0.0.1 0.0.0.0\n", STREAM "disable = yes\n");
	struct bind_message narrow = wanted_stream("127.0.0.1"), wide = wanted_stream("0.0.0.0");
	struct bound bound;

	bind_it(settings, 0, &narrow);
	ck_assert_int_eq(binder_bind(settings, 0, &wide, &bound), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	binder_renumber(numbers, 1);
	bind_it(settings, 0, &wide);
}
END_TEST

/* --- the gate of INTERCEPT --------------------------------------------------------- */

/* A socket that connects from a port of its own. */
static int knock_from(uint16_t *from)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct address here;

	ck_assert_int_eq(address_parse(&here, "127.0.0.1", 0), 0);
	ck_assert_int_eq(bind(fd, &here.any, here.length), 0);
	ck_assert_int_eq(address_of_socket(fd, &here), 0);
	*from = address_port(&here);
	return fd;
}

static bool gets_in(int fd, int listener)
{
	struct pollfd there = { .fd = fd, .events = POLLOUT };
	struct address inner;

	ck_assert_int_eq(address_of_socket(listener, &inner), 0);
	connect(fd, &inner.any, inner.length);
	return poll(&there, 1, 0) == 1 && !(there.revents & POLLERR);
}

START_TEST(lets_in_who_is_let_in)
{
	struct service_settings *settings = load(INTERCEPT, INTERCEPT "disable = yes\n");
	struct bind_message which = wanted_inner();
	uint16_t ports[4];
	int listener = bind_it(settings, 0, &which), fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = knock_from(&ports[i]);
	ck_assert(!gets_in(fds[0], listener));
	ck_assert_int_eq(binder_let_in(settings, 0, ports[1]), 0);
	ck_assert_int_eq(binder_let_in(settings, 0, ports[2]), 0);
	ck_assert_int_eq(binder_let_in(settings, 0, ports[3]), 0);
	ck_assert(gets_in(fds[1], listener));
	binder_let_out(settings, 0, ports[2]);
	ck_assert(!gets_in(fds[2], listener));
	binder_close_gates();
	ck_assert(!gets_in(fds[3], listener));
	ck_assert_int_eq(binder_let_in(settings, 1, ports[0]), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* --- RPC --------------------------------------------------------------------------- */

/* Where no rpcbind is, each try is told. */
START_TEST(registers_the_clients_socket_and_not_the_servers)
{
	struct service_settings *settings =
		load("type = RPC UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = yes\n"
		     "flags = INTERCEPT\nrpc_version = 1\nrpc_number = 600000001\n",
		     STREAM "disable = yes\n");
	struct bind_message inner = wanted_inner();

	bind_it(settings, 0, &inner);
	rpc_finish(5000);
	sink_flush_all();
	ck_assert_str_eq(place_read("log"), "");
}
END_TEST

#define LOOP(tests, test, table) \
	tcase_add_loop_test(tests, test, 0, (int)(sizeof table / sizeof table[0]))

Suite *binder_suite(void)
{
	Suite *suite = suite_create("binder");
	TCase *tests = tcase_create("binder");

	tcase_add_checked_fixture(tests, setup, teardown);
	LOOP(tests, opens_what_the_settings_ask_for_and_nothing_else, endpoints);
	tcase_add_test(tests, opens_no_mapped_address);
	tcase_add_test(tests, opens_nothing_for_what_tcpmux_serves);
	tcase_add_test(tests, gives_the_same_socket_again);
	tcase_add_test(tests, passes_a_socket_on_to_the_service_that_asks_for_it);
	tcase_add_test(tests, gives_each_service_an_inner_socket_of_its_own);
	tcase_add_test(tests, keeps_sockets_under_their_new_numbers);
	tcase_add_test(tests, sweeps_what_nobody_takes);
	tcase_add_test(tests, says_before_it_closes_a_socket);
	tcase_add_test(tests, makes_room_for_another_endpoint_of_the_port);
	tcase_add_test(tests, lets_in_who_is_let_in);
#ifdef HAVE_LIBTIRPC
	tcase_add_test(tests, registers_the_clients_socket_and_not_the_servers);
#endif
	suite_add_tcase(suite, tests);
	return suite;
}
