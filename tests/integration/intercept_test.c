/* INTERCEPT: each peer is checked, though the server of a wait service reads its socket
 * itself. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_intercepted(const char *program, const char *socket_type, const char *lines)
{
	return add_service("zzic",
			   "server = %s\nsocket_type = %s\nwait = yes\nflags = INTERCEPT\n"
			   "%s%s",
			   place_program(program), socket_type, lines, log_everything());
}

static const struct {
	const char *lists, *good, *bad;
} judged[] = {
	{ "no_access = 127.0.0.5\n", "127.0.0.1", "127.0.0.5" },
	{ "only_from = 127.0.0.6\n", "127.0.0.6", "127.0.0.5" },
	{ "only_from = localhost 10.0.0.0/8\n", "127.0.0.1", "127.0.0.5" },
	{ "no_access = localhost\n", "127.0.0.5", "127.0.0.1" },
};

static void wait_for_refusal(const char *sender)
{
	service_wait_log(LOG_TIME "FAIL: zzic address from=%s$", sender);
}

START_TEST(datagrams_of_refused_senders_never_reach_the_server)
{
	int port = add_intercepted("wait_datagram", "dgram", judged[_i].lists);
	int good, bad;

	daemon_start();
	good = datagram_connect(judged[_i].good, NULL, port);
	bad = datagram_connect(judged[_i].bad, NULL, port);
	datagram_send(good, "one", 3);
	ck_assert(
		text_matches(datagram_receive(good).data, textf("peer=%s one$", judged[_i].good)));
	datagram_send(bad, "two", 3);
	wait_for_refusal(judged[_i].bad);
	/* The server's next answer is to the good sender's next datagram. */
	datagram_send(good, "quit", 4);
	ck_assert(text_matches(datagram_receive(good).data, " quit$"));
	ck_assert(!datagram_is_waiting(bad));
	service_wait_log("EXIT: zzic");
}
END_TEST

START_TEST(refused_datagram_starts_no_server)
{
	int port = add_intercepted("wait_datagram", "dgram", judged[_i].lists);
	int bad, good;

	daemon_start();
	bad = datagram_connect(judged[_i].bad, NULL, port);
	datagram_send(bad, "x", 1);
	wait_for_refusal(judged[_i].bad);
	ck_assert_uint_eq(process_children(daemon_pid()), 0);
	good = datagram_connect(judged[_i].good, NULL, port);
	datagram_send(good, "quit", 4);
	ck_assert(text_matches(datagram_receive(good).data, " quit$"));
}
END_TEST

START_TEST(reload_changes_whose_datagrams_pass)
{
	int port = port_take(), fd;
	const char *same_port = textf("port = %d\n", port);

	add_intercepted("wait_datagram", "dgram", same_port);
	daemon_start();
	fd = datagram_connect("127.0.0.5", NULL, port);
	datagram_send(fd, "quit", 4);
	ck_assert(text_matches(datagram_receive(fd).data, " quit$"));
	service_wait_log("EXIT: zzic");
	configuration_clear();
	add_intercepted("wait_datagram", "dgram", textf("%sno_access = 127.0.0.5\n", same_port));
	daemon_reload();
	datagram_send(fd, "quit", 4);
	service_wait_log("FAIL: zzic address from=127\\.0\\.0\\.5$");
}
END_TEST

START_TEST(names_that_a_reload_brings_are_looked_up)
{
	int port = port_take(), fd;
	const char *same_port = textf("port = %d\n", port);

	add_intercepted("wait_datagram", "dgram", textf("%sonly_from = 10.0.0.1\n", same_port));
	daemon_start();
	configuration_clear();
	add_intercepted("wait_datagram", "dgram", textf("%sonly_from = localhost\n", same_port));
	daemon_reload();
	fd = datagram_connect("127.0.0.1", NULL, port);
	for (struct deadline deadline = deadline_in(DEADLINE_MS); !datagram_is_waiting(fd);) {
		datagram_send(fd, "again", 5);
		deadline_pause(&deadline, "no answer", __FILE__, __LINE__);
	}
}
END_TEST

START_TEST(domains_in_the_lists_are_an_error_for_datagrams)
{
	int port = port_take();

	add_service("zzic",
		    "server = %s\nsocket_type = dgram\nwait = yes\nflags = INTERCEPT\n"
		    "port = %d\nonly_from = .example.org\n",
		    place_program("wait_datagram"), port);
	add_service("zzok", HELLO);
	daemon_start();
	daemon_wait_log("zzic: INTERCEPT of datagrams can't check whether a host is in a domain");
}
END_TEST

START_TEST(streams_are_relayed_to_one_server_that_sees_admitted_clients_only)
{
	int port = add_intercepted("wait_stream", "stream", "no_access = 127.0.0.5\n");
	int fd;
	char *first;

	daemon_start();
	fd = client_connect(NULL, port);
	first = client_read_line(fd);
	ck_assert(text_matches(first, "^pid=[0-9]+ peer=<no address>"));
	client_send(fd, "hello\n");
	ck_assert_str_eq(client_read_line(fd), "hello");
	client_send(fd, "next\n");
	client_expect_end(fd);
	ck_assert_str_eq(ask_from("127.0.0.5", port, "hello\n"), "");
	service_wait_log("FAIL: zzic address from=127\\.0\\.0\\.5$");
	fd = client_connect(NULL, port);
	ck_assert_str_eq(client_read_line(fd), first); /* the same process */
	client_send(fd, "quit\n");
	client_expect_end(fd);
	service_wait_lines(3, "EXIT: zzic");
	ck_assert_uint_eq(text_count(service_log(), "START: zzic pid=0 from=127\\.0\\.0\\.1$"), 2);
	ck_assert_uint_eq(text_count(service_log(),
				     "START: zzic pid=[1-9][0-9]* from=<no address>$"),
			  1);
}
END_TEST

/* The port of the socket that the server gets, from the status report. */
static int inner_port(void)
{
	const char *at;

	daemon_signal(SIGUSR1);
	wait_until((at = strstr(place_read("status"), "127.0.0.1 port ")));
	return atoi(at + strlen("127.0.0.1 port "));
}

/* Any local user: only the daemon may connect to the inner socket. */
START_TEST(local_users_do_not_get_past_the_lists)
{
	int port = add_intercepted("wait_stream", "stream", "only_from = 127.0.0.1\ncps = 0 0\n"),
	    fd;
	int stranger = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd knocking = { .fd = stranger, .events = POLLOUT };
	struct endpoint inner;

	configure("daemon\n{\nstatus_file = %s\n}\n", place_path("status"));
	daemon_start();
	inner = endpoint_of("127.0.0.1", inner_port());
	connect(stranger, (struct sockaddr *)&inner.address, inner.length);
	for (int i = 0; i < 100; i++) { /* one after another, more than the gate holds */
		fd = client_connect(NULL, port);
		ck_assert(text_matches(client_read_line(fd), "^pid="));
		client_send(fd, "next\n");
		client_expect_end(fd);
		ck_assert_int_eq(poll(&knocking, 1, 0), 0);
	}
	fd = client_connect(NULL, port);
	client_send(fd, "quit\n");
	client_read_line(fd);
	client_expect_end(fd);
	close(stranger);
}
END_TEST

START_TEST(per_source_limits_intercepted_clients)
{
	int port = add_intercepted("wait_stream", "stream", "per_source = 1\n");
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_read_line(fd);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzic per_source_limit from=127\\.0\\.0\\.1$");
	client_send(fd, "quit\n");
	client_expect_end(fd);
}
END_TEST

Suite *intercept_suite(void)
{
	Suite *suite = suite_create("intercept");
	TCase *tcase = daemon_tcase(suite, "intercept");

	tcase_add_loop_test(tcase, datagrams_of_refused_senders_never_reach_the_server, 0,
			    sizeof judged / sizeof judged[0]);
	tcase_add_loop_test(tcase, refused_datagram_starts_no_server, 0,
			    sizeof judged / sizeof judged[0]);
	tcase_add_test(tcase, reload_changes_whose_datagrams_pass);
	tcase_add_test(tcase, names_that_a_reload_brings_are_looked_up);
	tcase_add_test(tcase, domains_in_the_lists_are_an_error_for_datagrams);
	tcase_add_test(tcase, streams_are_relayed_to_one_server_that_sees_admitted_clients_only);
	tcase_add_test(tcase, local_users_do_not_get_past_the_lists);
	tcase_add_test(tcase, per_source_limits_intercepted_clients);
	return suite;
}
