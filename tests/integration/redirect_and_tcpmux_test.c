/* Connections that are passed on: redirect, and tcpmux with its services. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- redirect --- */

/* A listening socket of the test. */
static int target_open(const char *host, int *port)
{
	struct endpoint here = endpoint_of(host, 0);
	int fd = socket(here.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&here.address, &here.length), 0);
	*port = ntohs(here.address.ss_family == AF_INET
			      ? ((struct sockaddr_in *)&here.address)->sin_port
			      : ((struct sockaddr_in6 *)&here.address)->sin6_port);
	return fd;
}

static int target_accept(int target)
{
	int fd = accept(target, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int add_redirect(const char *host, int port, const char *lines)
{
	return add_service("zzrd", "redirect = %s %d\n%s", host, port, lines);
}

START_TEST(bytes_pass_both_ways)
{
	static const char *const hosts[][2] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "::1", "::1" },
		{ "127.0.0.1", "localhost" },
	};
	int target_port, target = target_open(hosts[_i][0], &target_port), port, client, server;

	port = add_redirect(hosts[_i][1], target_port, "");
	daemon_start();
	client = client_connect(NULL, port);
	client_send(client, "question\n");
	server = target_accept(target);
	ck_assert_str_eq(client_read_line(server), "question");
	client_send(server, "answer\n");
	ck_assert_str_eq(client_read_line(client), "answer");
	ck_assert_uint_eq(process_children(daemon_pid()), 0);
	close(server);
	client_expect_end(client);
}
END_TEST

START_TEST(each_side_may_finish_first)
{
	int target_port, target = target_open("127.0.0.1", &target_port);
	int port = add_redirect("127.0.0.1", target_port,
				textf("%slog_on_success += TRAFFIC\n", log_everything()));
	int client, server;

	daemon_start();
	client = client_connect(NULL, port);
	client_send(client, "0123456789");
	client_finish_sending(client);
	server = target_accept(target);
	ck_assert_str_eq(client_read_all(server).data, "0123456789");
	client_send(server, "and the reply is not lost");
	close(server);
	ck_assert_str_eq(client_read_all(client).data, "and the reply is not lost");
	service_wait_log(LOG_TIME "START: zzrd pid=0 from=127\\.0\\.0\\.1$");
	service_wait_log(LOG_TIME "TRAFFIC: zzrd in=10\\(bytes\\) out=25\\(bytes\\)$");
	service_wait_log(LOG_TIME "EXIT: zzrd status=0 pid=0 duration=[0-9]+\\(sec\\)$");
}
END_TEST

START_TEST(much_passes_through_a_slow_reader)
{
	enum { LENGTH = 8 << 20 };
	int target_port, target = target_open("127.0.0.1", &target_port);
	int port = add_redirect("127.0.0.1", target_port, ""), client, server;
	char *bytes = keep(malloc(LENGTH));
	struct bytes received;
	pid_t writer;

	for (int i = 0; i < LENGTH; i++)
		bytes[i] = (char)(i * 7 + i / 4096);
	daemon_start();
	client = client_connect(NULL, port);
	server = target_accept(target);
	writer = fork();
	if (writer == 0) {
		for (int sent = 0; sent < LENGTH;) {
			ssize_t some = write(server, bytes + sent, (size_t)(LENGTH - sent));

			if (some <= 0)
				_exit(1);
			sent += (int)some;
		}
		_exit(0);
	}
	close(server);
	received = client_read_all(client);
	ck_assert_uint_eq(received.length, LENGTH);
	ck_assert_int_eq(memcmp(received.data, bytes, LENGTH), 0);
}
END_TEST

static void send_while(int fd, const char *log_pattern)
{
	wait_until((send(fd, "more", 4, MSG_NOSIGNAL), text_matches(service_log(), log_pattern)));
}

/* The target takes nothing more, which it says with a reset. The client has its answer. */
START_TEST(an_answer_is_not_cut_when_the_client_goes_on_sending)
{
	int target_port, target = target_open("127.0.0.1", &target_port);
	int port = add_redirect("127.0.0.1", target_port, log_everything()), client, server;

	daemon_start();
	client = client_connect(NULL, port);
	server = target_accept(target);
	client_send(server, "answer\n");
	close(server);
	send_while(client, "EXIT: zzrd status=0");
	client_send(client, "and more");
	ck_assert_str_eq(client_read_line(client), "answer");
	ck_assert_int_eq(client_end(client), 0);
	close(client);
}
END_TEST

static const char *const orders[] = { "", "lingering_close = yes\n" };

/* That is a reset too, as that of a target that breaks down. */
START_TEST(a_target_may_close_without_reading)
{
	int target_port, target = target_open("127.0.0.1", &target_port);
	int port =
		add_redirect("127.0.0.1", target_port, textf("%s%s", orders[_i], log_everything()));
	int client, server;

	daemon_start();
	client = client_connect(NULL, port);
	server = target_accept(target);
	client_send(client, "question");
	wait_until(recv(server, (char[1]){ 0 }, 1, MSG_PEEK) == 1);
	client_send(server, "answer\n");
	ck_assert_str_eq(client_read_line(client), "answer");
	close(server);
	service_wait_log("EXIT: zzrd status=0");
	ck_assert_int_eq(client_end(client), _i == 0 ? ECONNRESET : 0);
	close(client);
}
END_TEST

START_TEST(a_target_that_is_not_there_is_reported)
{
	int dead = port_take(), port = add_redirect("127.0.0.1", dead, "");

	daemon_start();
	ck_assert_str_eq(ask(port, "x"), "");
	daemon_wait_log("ERROR: service zzrd: can't connect to remote host 127\\.0\\.0\\.1");
}
END_TEST

START_TEST(idle_connections_are_ended)
{
	int target_port, target = target_open("127.0.0.1", &target_port);
	int port = add_redirect("127.0.0.1", target_port,
				textf("idle_timeout = 1\n%slog_on_success += TRAFFIC REASON\n",
				      log_everything())),
	    client, server;

	daemon_start();
	client = client_connect(NULL, port);
	server = target_accept(target);
	client_send(client, "word\n");
	ck_assert_str_eq(client_read_line(server), "word");
	client_expect_end(client);
	client_expect_end(server);
	service_wait_log("TRAFFIC: zzrd in=5\\(bytes\\) out=0\\(bytes\\)$");
	service_wait_log("EXIT: zzrd status=0 .* reason=idle_timeout$");
	close(target);
}
END_TEST

START_TEST(refused_clients_are_not_passed_on)
{
	int target_port, target = target_open("127.0.0.1", &target_port);
	int port = add_redirect("127.0.0.1", target_port, "no_access = 127.0.0.5\n"), client,
	    server;

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", port, "bad"), "");
	client = client_connect(NULL, port);
	client_send(client, "good\n");
	server = target_accept(target);
	ck_assert_str_eq(client_read_line(server), "good");
	close(client);
}
END_TEST

/* --- tcpmux --- */

static int add_tcpmux(void)
{
	return add_service("tcpmux", "type = INTERNAL UNLISTED\n%s", log_everything());
}

static void add_multiplexed(const char *name, const char *type, const char *lines)
{
	configure("service %s\n{\n\ttype = UNLISTED %s\n\tsocket_type = stream\n\tprotocol = tcp\n"
		  "\twait = no\n%s%s}\n",
		  name, type, lines, log_everything());
}

static const char *as_self(const char *lines)
{
	return textf("user = %s\n%s", current_user(), lines);
}

START_TEST(the_client_names_its_service)
{
	int port = add_tcpmux();

	add_multiplexed("zzmux", "TCPMUX", as_self(HELLO));
	add_multiplexed("zzplus", "TCPMUXPLUS", as_self(HELLO));
	daemon_start();
	ck_assert_str_eq(ask(port, "zzmux\r\n"), "hello\n");
	ck_assert_str_eq(ask(port, "zzPlus\r\n"), "+Go\r\nhello\n");
	ck_assert_str_eq(ask(port, "nothing\r\n"), "-Service name not found\r\n");
	ck_assert_str_eq(ask(port, "HELP\r\n"), "zzmux\r\nzzplus\r\n");
	service_wait_log("START: tcpmux pid=0 from=127\\.0\\.0\\.1$");
	service_wait_log("START: zzmux pid=[1-9][0-9]* from=127\\.0\\.0\\.1$");
	service_wait_log("EXIT: zzmux status=0");
}
END_TEST

START_TEST(what_follows_the_line_is_the_servers)
{
	int port = add_tcpmux(), fd;

	add_multiplexed("zzcat", "TCPMUX", as_self(CAT));
	daemon_start();
	ck_assert_str_eq(ask(port, "zzcat\r\nfirst\nsecond\n"), "first\nsecond\n");
	fd = client_connect(NULL, port);
	client_send(fd, "zzc");
	client_send(fd, "at\r");
	client_send(fd, "\nx");
	client_finish_sending(fd);
	ck_assert_str_eq(client_read_all(fd).data, "x");
}
END_TEST

START_TEST(a_service_with_a_socket_of_its_own_is_not_reached)
{
	int port = add_tcpmux();

	/* CVE-2012-0862: its access lists and port would not protect it. */
	add_service("zzguarded", HELLO "bind = 127.0.0.9\n");
	add_service("echo", "type = INTERNAL UNLISTED\n");
	daemon_start();
	ck_assert_str_eq(ask(port, "zzguarded\r\n"), "-Service name not found\r\n");
	ck_assert_str_eq(ask(port, "echo\r\n"), "-Service name not found\r\n");
	ck_assert_str_eq(ask(port, "tcpmux\r\n"), "-Service name not found\r\n");
}
END_TEST

START_TEST(a_multiplexed_server_runs_as_its_user)
{
	int port = add_tcpmux();
	char *status;

	/* CVE-2013-4342: it ran as root. */
	add_multiplexed("zzstatus", "TCPMUX",
			"user = nobody\nserver = /bin/cat\n"
			"server_args = /proc/self/status\n");
	daemon_start();
	status = ask(port, "zzstatus\r\n");
	ck_assert_msg(text_matches(status, "^Uid:\t65534\t65534\t65534\t65534$"), "%s", status);
	ck_assert_msg(text_matches(status, "^Gid:\t65534\t65534\t65534\t65534$"), "%s", status);
}
END_TEST

START_TEST(a_multiplexed_service_has_its_own_list_and_limits)
{
	int port = add_tcpmux(), held;

	add_multiplexed("zzlist", "TCPMUX", as_self(HELLO "no_access = 127.0.0.5\n"));
	add_multiplexed("zzone", "TCPMUXPLUS", as_self(CAT "instances = 1\n"));
	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", port, "zzlist\r\n"), "-Service not available\r\n");
	service_wait_log("FAIL: zzlist address from=127\\.0\\.0\\.5$");
	ck_assert_str_eq(ask(port, "zzlist\r\n"), "hello\n");
	held = client_connect(NULL, port);
	client_send(held, "zzone\r\nx\n");
	client_expect(held, "+Go\r\nx\n");
	ck_assert_str_eq(ask(port, "zzone\r\n"), "-Service not available\r\n");
	service_wait_log("FAIL: zzone service_limit from=127\\.0\\.0\\.1$");
}
END_TEST

START_TEST(silent_clients_of_tcpmux_hold_up_nobody)
{
	int port = add_tcpmux(), silent, slow;

	add_multiplexed("zzmux", "TCPMUX", as_self(HELLO));
	daemon_start();
	silent = client_connect(NULL, port);
	slow = client_connect(NULL, port);
	client_send(slow, "zzm");
	ck_assert_str_eq(ask(port, "zzmux\r\n"), "hello\n");
	client_send(slow, "ux\r\n");
	ck_assert_str_eq(client_read_all(slow).data, "hello\n");
	close(silent);
}
END_TEST

static const char *const bad_names[] = { "nothing\r\n", "zzlist\r\n", "help\r\n" };

/* The client goes on sending, which nobody reads. */
START_TEST(replies_are_not_cut)
{
	enum { LENGTH = 64 * 1024 };
	int port = add_tcpmux(), fd;
	char *more = keep(malloc(LENGTH));

	memset(more, 'x', LENGTH);
	add_multiplexed("zzlist", "TCPMUX", as_self(HELLO "no_access = 127.0.0.1\n"));
	daemon_start();
	fd = client_connect(NULL, port);
	client_send(fd, bad_names[_i]);
	client_send_bytes(fd, more, LENGTH);
	service_wait_log("EXIT: tcpmux status=0|FAIL: zzlist");
	client_send_bytes(fd, more, LENGTH);
	client_read_line(fd);
	ck_assert_int_eq(client_end(fd), 0);
	close(fd);
}
END_TEST

START_TEST(a_line_without_end_is_refused)
{
	char *line = keep(malloc(5001));
	int port = add_tcpmux();

	memset(line, 'x', 5000);
	line[5000] = '\0';
	daemon_start();
	ck_assert(text_matches(ask(port, line), "^-"));
	ck_assert(text_matches(ask(port, "\r\n"), "^-"));
	ck_assert_str_eq(ask(port, "unfinished"), "");
}
END_TEST

Suite *redirect_and_tcpmux_suite(void)
{
	Suite *suite = suite_create("redirect_and_tcpmux");
	TCase *redirect = daemon_tcase(suite, "redirect");
	TCase *tcpmux = daemon_tcase(suite, "tcpmux");

	tcase_add_loop_test(redirect, bytes_pass_both_ways, 0, 3);
	tcase_add_test(redirect, each_side_may_finish_first);
	tcase_add_test(redirect, much_passes_through_a_slow_reader);
	tcase_add_test(redirect, an_answer_is_not_cut_when_the_client_goes_on_sending);
	tcase_add_loop_test(redirect, a_target_may_close_without_reading, 0, 2);
	tcase_add_test(redirect, a_target_that_is_not_there_is_reported);
	tcase_add_test(redirect, idle_connections_are_ended);
	tcase_add_test(redirect, refused_clients_are_not_passed_on);
	tcase_add_test(tcpmux, the_client_names_its_service);
	tcase_add_test(tcpmux, what_follows_the_line_is_the_servers);
	tcase_add_test(tcpmux, a_service_with_a_socket_of_its_own_is_not_reached);
	if (is_superuser())
		tcase_add_test(tcpmux, a_multiplexed_server_runs_as_its_user);
	tcase_add_test(tcpmux, a_multiplexed_service_has_its_own_list_and_limits);
	tcase_add_test(tcpmux, silent_clients_of_tcpmux_hold_up_nobody);
	tcase_add_loop_test(tcpmux, replies_are_not_cut, 0, 3);
	tcase_add_test(tcpmux, a_line_without_end_is_refused);
	return suite;
}
