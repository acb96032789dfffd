/* One server for each connection, or one for the whole socket, on every address of the
 * service. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNLIMITED "cps = 0 0\ninstances = UNLIMITED\n"

static char *many_bytes(size_t length)
{
	char *bytes = keep(malloc(length));

	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 31 + i / 4093);
	return bytes;
}

/* The number after NAME= in text. */
static long number_in(const char *text, const char *name)
{
	const char *found = strstr(text, name);

	ck_assert_msg(found != NULL, "no %s in %s", name, text);
	return strtol(found + strlen(name), NULL, 10);
}

/* --- one server for each connection --- */

START_TEST(each_connection_gets_its_program)
{
	int port = add_service("zzcat", CAT), one, two;

	daemon_start();
	one = client_hold(port);
	two = client_hold(port);
	ck_assert_uint_eq(process_children(daemon_pid()), 2);
	client_send(one, "one\n");
	client_send(two, "two\n");
	client_expect(two, "two\n");
	client_expect(one, "one\n");
	client_finish_sending(one);
	client_expect_end(one);
	client_ping(two);
	close(two);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

START_TEST(a_client_that_finished_sending_still_hears)
{
	int port = add_service("zzcount", "server = /usr/bin/wc\nserver_args = -c\n");

	daemon_start();
	ck_assert_int_eq(atoi(ask(port, "four and twenty bytes...")), 24);
}
END_TEST

START_TEST(a_large_transfer_is_complete)
{
	enum { SIZE = 4 << 20 };
	char *bytes = many_bytes(SIZE);
	struct bytes got;
	int port, fd;

	place_write_bytes("large", bytes, SIZE);
	port = add_service("zzlarge", "server = /bin/cat\nserver_args = %s\n", place_path("large"));
	daemon_start();
	fd = client_connect(NULL, port);
	got = client_read_all(fd);
	close(fd);
	ck_assert_uint_eq(got.length, SIZE);
	ck_assert_mem_eq(got.data, bytes, SIZE);
}
END_TEST

START_TEST(two_hundred_connections_are_served_one_after_the_other)
{
	enum { CLIENTS = 200 };
	int port = add_service("zzhello", HELLO UNLIMITED "%s", log_everything());

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_str_eq(ask(port, ""), "hello\n");
	service_wait_lines(CLIENTS, LOG_TIME "EXIT: zzhello status=0 pid=[0-9]+ duration=");
	ck_assert_uint_eq(text_count(service_log(), LOG_TIME "START: zzhello pid=[0-9]+ from="),
			  CLIENTS);
	ck_assert_uint_eq(process_children(daemon_pid()), 0);
}
END_TEST

START_TEST(two_hundred_connections_are_served_at_once)
{
	enum { CLIENTS = 200 };
	int port = add_service("zzcat", CAT UNLIMITED "%s", log_everything()), fds[CLIENTS];
	unsigned descriptors;

	daemon_start();
	descriptors = process_descriptors(daemon_pid());
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	for (int i = 0; i < CLIENTS; i++)
		client_send(fds[i], textf("client %d\n", i));
	for (int i = CLIENTS; i-- > 0;)
		client_expect(fds[i], textf("client %d\n", i));
	for (int i = 0; i < CLIENTS; i++) {
		client_finish_sending(fds[i]);
		client_expect_end(fds[i]);
	}
	service_wait_lines(CLIENTS, "EXIT: zzcat status=0");
	wait_until(process_children(daemon_pid()) == 0);
	/* Workers that were added under load may have a few. */
	ck_assert_uint_le(process_descriptors(daemon_pid()), descriptors + 16);
}
END_TEST

START_TEST(clients_that_leave_at_once_are_served_like_others)
{
	enum { CLIENTS = 60 };
	int port = add_service("zzcat", CAT UNLIMITED "%s", log_everything()), fd;

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		close(client_connect(NULL, port));
	service_wait_lines(CLIENTS, "EXIT: zzcat ");
	for (int i = 0; i < CLIENTS; i++)
		client_reset(client_connect(NULL, port));
	fd = client_hold(port);
	close(fd);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

START_TEST(the_connection_ends_with_its_server)
{
	int port = add_service("zztrue", "server = /bin/true\n"), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect_end(fd);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

START_TEST(descriptors_come_back)
{
	int program = add_service("zzcat", CAT UNLIMITED);
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n" UNLIMITED);
	int denied = add_service("zzdenied", CAT UNLIMITED "no_access = 127.0.0.1\n");
	int datagram = add_service("echo", "id = d\ntype = INTERNAL UNLISTED\n"
					   "socket_type = dgram\n" UNLIMITED);
	unsigned before = 0;

	daemon_start();
	for (int i = 0; i < 40; i++) {
		ck_assert_str_eq(ask(program, "a"), "a");
		ck_assert_str_eq(ask(echo, "b"), "b");
		ck_assert_str_eq(ask(denied, "c"), "");
		ck_assert_str_eq(datagram_ask(datagram, "d"), "d");
		if (i == 10) {
			wait_until(process_children(daemon_pid()) == 0);
			before = process_descriptors(daemon_pid());
		}
	}
	wait_until(process_children(daemon_pid()) == 0);
	wait_until(process_descriptors(daemon_pid()) <= before);
}
END_TEST

/* --- one server for the socket --- */

static int add_wait_stream(const char *lines)
{
	return add_service("zzwait", "wait = yes\nserver = %s\n%s", place_program("wait_stream"),
			   lines);
}

START_TEST(a_stream_server_gets_the_listener)
{
	int port = add_wait_stream(log_everything()), one, two;
	long first, second;
	char *line;

	daemon_start();
	one = client_connect(NULL, port);
	line = client_read_line(one);
	first = number_in(line, "pid=");
	client_ping(one);
	two = client_connect(NULL, port);
	client_send(one, "next\n");
	client_expect_end(one);
	line = client_read_line(two);
	ck_assert_int_eq(number_in(line, "pid="), first);
	client_send(two, "quit\n");
	client_expect_end(two);
	one = client_connect(NULL, port);
	second = number_in(client_read_line(one), "pid=");
	ck_assert_int_ne(second, first);
	client_send(one, "quit\n");
	client_expect_end(one);
	service_wait_lines(2, LOG_TIME "EXIT: zzwait status=0 pid=[0-9]+ duration=");
	ck_assert(text_matches(service_log(),
			       textf(LOG_TIME "START: zzwait pid=%ld from=<no address>$", first)));
}
END_TEST

START_TEST(clients_wait_while_no_server_accepts)
{
	enum { CLIENTS = 5 };
	int port = add_wait_stream(""), fds[CLIENTS];

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	client_read_line(fds[0]);
	daemon_check_calm(fds[1]);
	ck_assert_uint_eq(process_children(daemon_pid()), 1);
	client_send(fds[0], "quit\n");
	for (int i = 1; i < CLIENTS; i++) {
		client_read_line(fds[i]);
		client_send(fds[i], "quit\n");
		client_expect_end(fds[i]);
	}
}
END_TEST

static int add_wait_datagram(const char *arguments, const char *lines)
{
	return add_service("zzwait", "socket_type = dgram\nserver = %s\nserver_args = %s\n%s",
			   place_program("wait_datagram"), arguments, lines);
}

START_TEST(a_datagram_server_gets_the_socket)
{
	int port = add_wait_datagram("-1", log_everything());
	char *one, *two, *three;

	daemon_start();
	one = datagram_ask(port, "one");
	two = datagram_ask(port, "quit");
	ck_assert_msg(text_matches(one, "^pid=[0-9]+ peer=127\\.0\\.0\\.1 one$"), "%s", one);
	ck_assert_int_eq(number_in(one, "pid="), number_in(two, "pid="));
	three = datagram_ask(port, "quit three");
	ck_assert_int_ne(number_in(three, "pid="), number_in(one, "pid="));
	service_wait_lines(2, LOG_TIME "EXIT: zzwait status=0 pid=[0-9]+ duration=");
	ck_assert(text_matches(service_log(), textf(LOG_TIME "START: zzwait pid=%ld "
							     "from=127\\.0\\.0\\.1$",
						    number_in(one, "pid="))));
}
END_TEST

START_TEST(no_datagram_is_lost_between_servers)
{
	enum { DATAGRAMS = 20 };
	int port = add_wait_datagram("1", "cps = 0 0\n"), fds[DATAGRAMS];

	daemon_start();
	for (int i = 0; i < DATAGRAMS; i++) {
		fds[i] = datagram_connect(NULL, NULL, port);
		datagram_send(fds[i], textf("%d", i), strlen(textf("%d", i)));
	}
	for (int i = 0; i < DATAGRAMS; i++)
		ck_assert(text_matches(datagram_receive(fds[i]).data, textf(" %d$", i)));
}
END_TEST

START_TEST(a_datagram_server_may_leave_the_datagram)
{
	const char *fickle =
		place_script("fickle",
			     "if [ -e %s/seen ]; then exec %s 1; fi\n"
			     ": >%s/seen",
			     place_path(""), place_program("wait_datagram"), place_path(""));
	int port = add_service("zzfickle", "socket_type = dgram\nserver = %s\n", fickle);

	daemon_start();
	/* The first server ends without reading; the datagram is the next one's. */
	ck_assert(text_matches(datagram_ask(port, "patience"), " patience$"));
}
END_TEST

START_TEST(a_server_that_never_reads_is_started_ever_more_rarely)
{
	int port = add_service("zzidle", "socket_type = dgram\nserver = /bin/true\n%s",
			       log_everything());
	int fd;

	daemon_start();
	fd = datagram_connect(NULL, NULL, port);
	datagram_send(fd, "one", 3);
	daemon_wait_log(
		"WARNING: service zzidle: /bin/true ends and leaves unread .*growing delays");
	service_wait_lines(6, "START: zzidle");
	daemon_check_calm(fd);
	daemon_stop();
	ck_assert_uint_eq(text_count(daemon_log(), "growing delays"), 1);
	close(fd);
}
END_TEST

START_TEST(a_denied_datagram_starts_no_server)
{
	int port = add_wait_datagram("1", textf("no_access = 127.0.0.5\n%s", log_everything()));
	int denied;

	daemon_start();
	denied = datagram_connect("127.0.0.5", NULL, port);
	datagram_send(denied, "bad", 3);
	service_wait_log(LOG_TIME "FAIL: zzwait address from=127\\.0\\.0\\.5$");
	ck_assert(text_matches(datagram_ask(port, "good"), " good$"));
	ck_assert(!datagram_is_waiting(denied));
	service_wait_lines(1, "START:");
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "START:"), 1);
	close(denied);
}
END_TEST

/* --- names, protocols, families, addresses --- */

START_TEST(one_name_serves_under_several_ids)
{
	int one = add_service("zzname", "id = zz-one\nserver = /bin/echo\nserver_args = one\n%s",
			      log_everything());
	int two = add_service("zzname", "id = zz-two\nserver = /bin/echo\nserver_args = two\n%s",
			      log_everything());

	daemon_start();
	ck_assert_str_eq(ask(one, ""), "one\n");
	ck_assert_str_eq(ask(two, ""), "two\n");
	service_wait_log(LOG_TIME "START: zz-one pid=");
	service_wait_log(LOG_TIME "START: zz-two pid=");
}
END_TEST

START_TEST(stream_and_datagram_share_a_port)
{
	int port = add_service("echo", "id = s\ntype = INTERNAL UNLISTED\n");

	add_service("echo", "id = d\ntype = INTERNAL UNLISTED\nsocket_type = dgram\nport = %d\n",
		    port);
	daemon_start();
	ck_assert_str_eq(ask(port, "stream"), "stream");
	ck_assert_str_eq(datagram_ask(port, "datagram"), "datagram");
}
END_TEST

/* Which families are served with which attributes. */
static const struct {
	const char *lines;
	bool v4, v6;
} families[] = {
	{ "", true, true },
	{ "flags = IPv4\n", true, false },
	{ "flags = IPv6\n", true, true },
	{ "flags = IPv4 IPv6\n", true, true },
	{ "v6only = yes\n", false, true },
	{ "v6only = no\n", true, true },
	{ "flags = IPv6\nv6only = yes\n", false, true },
	{ "flags = IPv6\nv6only = no\n", true, true },
	{ "bind = 127.0.0.1\n", true, false },
	{ "bind = ::1\n", false, true },
	{ "bind = 0.0.0.0\n", true, false },
	{ "bind = ::\n", true, true },
	{ "bind = ::\nv6only = yes\n", false, true },
	{ "interface = 127.0.0.1\n", true, false },
	{ "bind = 127.0.0.1 ::1\n", true, true },
	{ "bind = localhost\nflags = IPv4\n", true, false },
};

START_TEST(families_are_served_as_asked)
{
	const char *lines = families[_i].lines;
	int port = add_service("zzhello", HELLO "%s", lines);

	daemon_start();
	ck_assert_msg(client_is_refused("127.0.0.1", port) == !families[_i].v4,
		      "\"%s\": IPv4 is %sserved", lines, families[_i].v4 ? "not " : "");
	ck_assert_msg(client_is_refused("::1", port) == !families[_i].v6,
		      "\"%s\": IPv6 is %sserved", lines, families[_i].v6 ? "not " : "");
	if (families[_i].v4)
		ck_assert_str_eq(ask_at("127.0.0.1", port, ""), "hello\n");
	if (families[_i].v6)
		ck_assert_str_eq(ask_at("::1", port, ""), "hello\n");
}
END_TEST

START_TEST(v6only_of_defaults_counts)
{
	int plain, own;

	add_defaults("v6only = yes\n");
	plain = add_service("zzplain", HELLO);
	own = add_service("zzown", HELLO "v6only = no\n");
	daemon_start();
	ck_assert(client_is_refused(NULL, plain));
	ck_assert_str_eq(ask_at("::1", plain, ""), "hello\n");
	ck_assert_str_eq(ask(own, ""), "hello\n");
}
END_TEST

START_TEST(bind_serves_that_address_alone)
{
	int port = add_service("zzbound", HELLO "bind = 127.0.0.2\n");

	daemon_start();
	ck_assert_str_eq(ask_at("127.0.0.2", port, ""), "hello\n");
	ck_assert(client_is_refused("127.0.0.1", port));
	ck_assert(client_is_refused("::1", port));
}
END_TEST

START_TEST(bind_serves_several_addresses)
{
	int port = add_service("zzbound", CAT "instances = 1\nbind = 127.0.0.2 127.0.0.3 ::1\n%s",
			       log_everything());
	int held;

	daemon_start();
	ck_assert_str_eq(ask_at("127.0.0.2", port, "two"), "two");
	service_wait_lines(1, "EXIT: zzbound"); /* now another server may run */
	ck_assert_str_eq(ask_at("127.0.0.3", port, "three"), "three");
	service_wait_lines(2, "EXIT: zzbound");
	ck_assert_str_eq(ask_at("::1", port, "six"), "six");
	service_wait_lines(3, "EXIT: zzbound");
	ck_assert(client_is_refused("127.0.0.1", port));
	/* One count for all addresses of the service. */
	held = client_connect("127.0.0.2", port);
	client_ping(held);
	ck_assert_str_eq(ask_at("127.0.0.3", port, "full"), "");
	close(held);
}
END_TEST

START_TEST(one_port_serves_two_services_on_two_addresses)
{
	int port = add_service("zzname", "id = b1\nserver = /bin/echo\nserver_args = one\n"
					 "bind = 127.0.0.2\n");

	add_service("zzname",
		    "id = b2\nserver = /bin/echo\nserver_args = two\n"
		    "bind = 127.0.0.3\nport = %d\n",
		    port);
	daemon_start();
	ck_assert_str_eq(ask_at("127.0.0.2", port, ""), "one\n");
	ck_assert_str_eq(ask_at("127.0.0.3", port, ""), "two\n");
}
END_TEST

START_TEST(bind_of_defaults_is_overridden)
{
	int plain, own;

	add_defaults("bind = 127.0.0.2\n");
	plain = add_service("zzplain", HELLO);
	own = add_service("zzown", HELLO "bind = 127.0.0.3\n");
	daemon_start();
	ck_assert_str_eq(ask_at("127.0.0.2", plain, ""), "hello\n");
	ck_assert(client_is_refused("127.0.0.1", plain));
	ck_assert_str_eq(ask_at("127.0.0.3", own, ""), "hello\n");
	ck_assert(client_is_refused("127.0.0.2", own));
}
END_TEST

START_TEST(a_datagram_service_is_bound_too)
{
	int port = add_service("echo", "type = INTERNAL UNLISTED\nsocket_type = dgram\n"
				       "bind = 127.0.0.2\n");
	int fd, other;

	daemon_start();
	other = datagram_connect(NULL, "127.0.0.1", port);
	datagram_send(other, "x", 1);
	fd = datagram_connect(NULL, "127.0.0.2", port);
	datagram_send(fd, "y", 1);
	ck_assert_str_eq(datagram_receive(fd).data, "y");
	ck_assert_int_lt(recv(other, &(char){ 0 }, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
	close(other);
}
END_TEST

static int occupy(const char *host, int port)
{
	struct endpoint endpoint = endpoint_of(host, port);
	int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&endpoint.address, endpoint.length), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

START_TEST(a_taken_port_is_served_once_it_is_free)
{
	int port = port_take(), good, occupant;

	occupant = occupy("127.0.0.1", port);
	add_service("zztaken", HELLO "bind = 127.0.0.1\nport = %d\n", port);
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert_str_eq(ask(good, ""), "hello\n");
	daemon_wait_log("zztaken");
	close(occupant);
	wait_until(port_is_served("tcp", port));
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(an_absent_address_costs_no_other_service)
{
	/* RFC 5737: an address for documentation only. */
	int bad = add_service("zzabsent", HELLO "bind = 203.0.113.77\n");
	int good = add_service("zzgood", HELLO);

	daemon_start();
	ck_assert_str_eq(ask(good, ""), "hello\n");
	ck_assert(client_is_refused(NULL, bad));
	daemon_wait_log("zzabsent");
}
END_TEST

START_TEST(ports_are_taken_up_again_at_once)
{
	int port = add_service("zzhello", HELLO);

	daemon_start();
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(ask(port, ""), "hello\n");
	daemon_stop();
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

static void add_wait_tests(Suite *suite)
{
	TCase *wait = daemon_tcase(suite, "wait");

	tcase_add_test(wait, a_stream_server_gets_the_listener);
	tcase_add_test(wait, clients_wait_while_no_server_accepts);
	tcase_add_test(wait, a_datagram_server_gets_the_socket);
	tcase_add_test(wait, no_datagram_is_lost_between_servers);
	tcase_add_test(wait, a_datagram_server_may_leave_the_datagram);
	tcase_add_test(wait, a_server_that_never_reads_is_started_ever_more_rarely);
	tcase_add_test(wait, a_denied_datagram_starts_no_server);
}

static void add_address_tests(Suite *suite)
{
	TCase *addresses = daemon_tcase(suite, "addresses");

	tcase_add_test(addresses, one_name_serves_under_several_ids);
	tcase_add_test(addresses, stream_and_datagram_share_a_port);
	tcase_add_loop_test(addresses, families_are_served_as_asked, 0,
			    sizeof families / sizeof families[0]);
	tcase_add_test(addresses, v6only_of_defaults_counts);
	tcase_add_test(addresses, bind_serves_that_address_alone);
	tcase_add_test(addresses, bind_serves_several_addresses);
	tcase_add_test(addresses, one_port_serves_two_services_on_two_addresses);
	tcase_add_test(addresses, bind_of_defaults_is_overridden);
	tcase_add_test(addresses, a_datagram_service_is_bound_too);
	tcase_add_test(addresses, a_taken_port_is_served_once_it_is_free);
	tcase_add_test(addresses, an_absent_address_costs_no_other_service);
	tcase_add_test(addresses, ports_are_taken_up_again_at_once);
}

Suite *serving_suite(void)
{
	Suite *suite = suite_create("serving");
	TCase *connections = daemon_tcase(suite, "connections");

	tcase_add_test(connections, each_connection_gets_its_program);
	tcase_add_test(connections, a_client_that_finished_sending_still_hears);
	tcase_add_test(connections, a_large_transfer_is_complete);
	tcase_add_test(connections, two_hundred_connections_are_served_one_after_the_other);
	tcase_add_test(connections, two_hundred_connections_are_served_at_once);
	tcase_add_test(connections, clients_that_leave_at_once_are_served_like_others);
	tcase_add_test(connections, the_connection_ends_with_its_server);
	tcase_add_test(connections, descriptors_come_back);
	add_wait_tests(suite);
	add_address_tests(suite);
	return suite;
}
