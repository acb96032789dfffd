/* Mistakes and attacks of clients, servers and administrators: the daemon still serves
 * everybody else. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO "type = INTERNAL UNLISTED\ncps = 0 0\n"

START_TEST(a_redirected_client_that_never_reads_stops_nobody)
{
	enum { TURNS = 2000 }; /* enough to fill every buffer on the way */
	int quiet = add_service("echo", ECHO);
	int target = add_service("chargen", "type = INTERNAL UNLISTED\n");
	int port = add_service("zzrd", "redirect = 127.0.0.1 %d\n", target), fd, held;

	daemon_start();
	held = client_hold(quiet);
	fd = client_connect(NULL, port);
	for (int i = 0; i < TURNS; i++)
		client_ping(held);
	close(fd);
	close(held);
}
END_TEST

/* Each of them may accept a connection that the daemon is about to accept. */
START_TEST(processes_that_a_wait_server_left_behind_stop_nobody)
{
	enum { CLIENTS = 2000, AT_ONCE = 20 };
	int quiet = add_service("echo", ECHO), held;
	int port = add_service("zzleft", "wait = yes\nserver = %s\ncps = 1 1\n%s",
			       place_program("leave_behind"), log_everything());

	daemon_start();
	held = client_hold(quiet);
	close(client_connect(NULL, port));
	service_wait_log("EXIT: zzleft");
	for (int i = 0; i < CLIENTS; i++) {
		close(client_connect(NULL, port));
		if (i % AT_ONCE == 0)
			client_ping(held);
	}
	client_ping(held);
	close(held);
}
END_TEST

START_TEST(another_connections_variables_are_not_passed_on)
{
	static const char *const others[] = {
		"REMOTE_HOST=192.0.2.1", "REMOTE_ADDR=192.0.2.1",   "PROTO=ODD",
		"TCPREMOTEIP=192.0.2.1", "TCPREMOTEHOST=elsewhere", NULL
	};
	int port = add_service("zzenv", "server = /usr/bin/env\n");
	const char *environment;

	daemon_start_with(&(struct daemon_options){ .environment = others });
	environment = ask(port, "");
	ck_assert_uint_eq(text_count(environment, "^REMOTE_HOST=127\\.0\\.0\\.1$"), 1);
	ck_assert_uint_eq(text_count(environment, "^REMOTE_(HOST|ADDR)="), 2);
	ck_assert_uint_eq(text_count(environment, "^PROTO=TCP$"), 1);
	ck_assert_uint_eq(text_count(environment, "192\\.0\\.2\\.1|ODD|elsewhere"), 0);
}
END_TEST

START_TEST(a_name_in_bind_takes_the_place_of_every_address)
{
	int port = port_take(), fd;

	add_service("echo", ECHO "flags = IPv4\nport = %d\n", port);
	daemon_start();
	ck_assert_str_eq(ask_at("127.0.0.9", port, "everywhere"), "everywhere");
	configuration_clear();
	add_service("echo", ECHO "flags = IPv4\nport = %d\nbind = localhost\n", port);
	daemon_reload();
	wait_until(client_is_refused("127.0.0.9", port));
	fd = client_hold(port);
	close(fd);
}
END_TEST

/* At its end it closes the sockets that it got while it was suspended. */
START_TEST(a_suspended_service_may_become_an_intercepted_one)
{
	const char *suspending = CAT "cps = 1 1\ncps_action = suspend\n";
	int port = port_take();
	unsigned descriptors;

	add_service("echo", ECHO);
	add_service("zzcat", "port = %d\n%s", port, suspending);
	daemon_start();
	client_connect(NULL, port);
	client_connect(NULL, port);
	daemon_wait_log("Deactivating service zzcat");
	descriptors = process_descriptors(daemon_pid());
	configuration_clear();
	add_service("echo", ECHO);
	add_service("zzcat", "wait = yes\nflags = INTERCEPT\nport = %d\n%s", port, suspending);
	daemon_reload();
	daemon_wait_log("Activating service zzcat");
	configuration_clear();
	add_service("echo", ECHO);
	daemon_reload();
	wait_until(process_descriptors(daemon_pid()) <= descriptors);
}
END_TEST

START_TEST(a_daemon_that_ends_does_not_begin_again)
{
	int port = add_service("zzstay", "server = %s\n",
			       place_script("stay", "trap '' TERM\necho here\nexec sleep 1000\n"));
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_expect(fd, "here\n");
	daemon_signal(SIGTERM);
	wait_until(client_is_refused(NULL, port));
	daemon_signal(SIGHUP);
	daemon_signal(SIGABRT); /* handled after SIGHUP, and logged */
	daemon_wait_log("Consistency check passed");
	ck_assert(client_is_refused(NULL, port));
	daemon_signal(SIGTERM);
	ck_assert_int_eq(daemon_wait_end(), 0);
	client_expect_end(fd);
}
END_TEST

/* The peer has no identd and is refused after it was counted. */
START_TEST(a_session_refused_after_it_was_counted_frees_its_place)
{
	enum { CLIENTS = 4 };
	int fds[CLIENTS], port;

	place_write("goodbye", "goodbye\n");
	port = add_service("echo",
			   ECHO "instances = 1\nflags = IDONLY\nbanner_fail = %s\n"
				"log_on_success = USERID\nlog_on_failure = HOST\n%s",
			   place_path("goodbye"), log_to_service_log());
	daemon_start();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(NULL, port);
		client_expect(fds[i], "goodbye\n");
	}
	ck_assert_uint_eq(text_count(service_log(), "service_limit"), 0);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	daemon_signal(SIGABRT);
	daemon_wait_log("Consistency check passed");
	service_wait_lines(CLIENTS, "NOID: echo");
}
END_TEST

START_TEST(few_descriptors_are_enough_for_standard_error)
{
	static const char *const kinds[] = { "null", "log", NULL };
	const char *kind = kinds[_i] ? kinds[_i] : place_path("errors");
	int port = add_service("zzhello", HELLO "rlimit_files = 8\nstderr = %s\n", kind);

	daemon_start();
	ck_assert_msg(strcmp(ask(port, ""), "hello\n") == 0, "stderr = %s: %s", kind, daemon_log());
}
END_TEST

static void add_refusing(int port, const char *also)
{
	add_service("echo", ECHO "no_access = 127.114.0.1 %s\nlog_on_failure = USERID\nport = %d\n",
		    also, port);
}

/* Clients have an address of their own, where the test is the only server. */
START_TEST(a_client_that_leaves_ends_the_question_to_identd)
{
	static const char *const one_at_a_time[] = { "-logprocs", "1", NULL };
	struct endpoint identd = endpoint_of("127.114.0.1", 113);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, port = port_take(), asking;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&identd.address, identd.length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	add_refusing(port, "");
	daemon_start_with(&(struct daemon_options){ .arguments = one_at_a_time });
	for (int i = 0; i < 2; i++) {
		int client = client_connect_from("127.114.0.1", NULL, port);

		asking = accept(fd, NULL, NULL); /* without a request the test times out */
		ck_assert_int_ge(asking, 0);
		configuration_clear();
		add_refusing(port, i ? "" : "192.0.2.1");
		daemon_reload(); /* ends the session */
		client_expect_end(client);
		close(asking);
	}
	close(fd);
}
END_TEST

/* A datagram from a port of this host to another; only root can send it. */
static void send_forged(int from, int to)
{
	struct endpoint there = endpoint_of("127.0.0.1", to);
	uint16_t datagram[] = { htons((uint16_t)from), htons((uint16_t)to), htons(10), 0, 0x6161 };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	ck_assert_int_eq(sendto(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&there.address,
				there.length),
			 sizeof datagram);
	close(fd);
}

START_TEST(a_service_does_not_talk_to_itself)
{
	int port = add_service("echo", ECHO "socket_type = dgram\n%s", log_everything());

	daemon_start();
	send_forged(port, port);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(datagram_ask(port, "real"), "real");
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "START: echo"), 3);
}
END_TEST

START_TEST(a_service_does_not_talk_to_the_server_of_another)
{
	int port = add_service("echo", ECHO "socket_type = dgram\n%s", log_everything());
	int other = add_service("zzwait", "socket_type = dgram\nserver = %s\n",
				place_program("wait_datagram"));

	daemon_start();
	send_forged(other, port);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(datagram_ask(port, "real"), "real");
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "START: echo"), 3);
}
END_TEST

/* A datagram socket on a port that only root can bind. */
static int bind_low_port(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int port = IPPORT_RESERVED - 1; port > 0; port--) {
		struct endpoint own = endpoint_of("127.0.0.9", port);

		if (bind(fd, (struct sockaddr *)&own.address, own.length) == 0)
			return fd;
	}
	ck_abort_msg("no port below %d is free", IPPORT_RESERVED);
	return -1;
}

/* Many services on low ports answer every datagram: the two would never stop. */
START_TEST(datagrams_from_ports_of_services_are_not_answered)
{
	int port = add_service("echo", ECHO "socket_type = dgram\n%s", log_everything());
	struct endpoint there = endpoint_of("127.0.0.1", port);
	int low = bind_low_port();

	daemon_start();
	ck_assert_int_eq(sendto(low, "forged", 6, 0, (struct sockaddr *)&there.address,
				there.length),
			 6);
	ck_assert_str_eq(datagram_ask(port, "real"), "real");
	ck_assert(!datagram_is_waiting(low));
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "START: echo"), 1);
}
END_TEST

Suite *robustness_suite(void)
{
	Suite *suite = suite_create("robustness");
	TCase *tcase = daemon_tcase(suite, "robustness");

	tcase_add_test(tcase, a_redirected_client_that_never_reads_stops_nobody);
	tcase_add_test(tcase, processes_that_a_wait_server_left_behind_stop_nobody);
	tcase_add_test(tcase, another_connections_variables_are_not_passed_on);
	tcase_add_test(tcase, a_name_in_bind_takes_the_place_of_every_address);
	tcase_add_test(tcase, a_suspended_service_may_become_an_intercepted_one);
	tcase_add_test(tcase, a_daemon_that_ends_does_not_begin_again);
	tcase_add_test(tcase, a_session_refused_after_it_was_counted_frees_its_place);
	tcase_add_loop_test(tcase, few_descriptors_are_enough_for_standard_error, 0, 3);
	if (is_superuser())
		tcase_add_test(tcase, a_client_that_leaves_ends_the_question_to_identd);
	if (is_superuser())
		tcase_add_test(tcase, a_service_does_not_talk_to_itself);
	if (is_superuser())
		tcase_add_test(tcase, a_service_does_not_talk_to_the_server_of_another);
	if (is_superuser())
		tcase_add_test(tcase, datagrams_from_ports_of_services_are_not_answered);
	return suite;
}
