/* The PROXY protocol: clients that come through a balancer, and targets of redirect that are
 * told who the client is. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/kernel.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENV "server = /usr/bin/env\n"
#define BALANCED "proxy_protocol = any\nproxy_from = 127.0.0.1 ::1\n"
#define CLIENT "PROXY TCP4 192.0.2.7 198.51.100.1 4000 80\r\n"
#define CLIENT_OF(host) "PROXY TCP4 " host " 198.51.100.1 4000 80\r\n"

static int add_balanced(const char *lines)
{
	return add_service("zzproxy", "%s%s%s", BALANCED, log_everything(), lines);
}

static void send_and_finish(int fd, const void *bytes, size_t length)
{
	client_send_bytes(fd, bytes, length);
	client_finish_sending(fd);
}

/* Sends the bytes, and returns all that comes. */
static char *ask_bytes(int port, const void *bytes, size_t length)
{
	int fd = client_connect(NULL, port);

	send_and_finish(fd, bytes, length);
	return client_read_all(fd).data;
}

/* --- the client of the header ----------------------------------------------------------------- */

static bool has_line(const char *text, const char *line)
{
	return text_matches(text, textf("^%s$", line));
}

static void expect_lines(const char *text, const char *const lines[])
{
	for (; *lines; lines++)
		ck_assert_msg(has_line(text, *lines), "no %s in %s", *lines, text);
}

START_TEST(the_client_of_a_line_is_served)
{
	static const char *const variables[] = {
		"REMOTE_HOST=192\\.0\\.2\\.7",
		"REMOTE_ADDR=192\\.0\\.2\\.7",
		"REMOTE_PORT=4000",
		"TCPREMOTEIP=192\\.0\\.2\\.7",
		"TCPREMOTEPORT=4000",
		"TCPLOCALIP=198\\.51\\.100\\.1",
		"TCPLOCALPORT=80",
		"PROXY_ADDR=127\\.0\\.0\\.1",
		"PROXY_PORT=[1-9][0-9]*",
		NULL,
	};
	int port = add_balanced(ENV);
	const char *output;

	daemon_start();
	output = ask(port, CLIENT);
	expect_lines(output, variables);
	ck_assert(!text_matches(output, "^PROXY_(UNIQUE|AUTHORITY|SSL)"));
	service_wait_log(LOG_TIME "START: zzproxy pid=[1-9][0-9]* from=192\\.0\\.2\\.7$");
	service_wait_log(LOG_TIME "EXIT: zzproxy status=0 ");
}
END_TEST

START_TEST(ipv6_clients_come_through_ipv4_and_the_other_way_round)
{
	int port = add_balanced(ENV);
	const char *output;

	daemon_start();
	output = ask(port, "PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r\n");
	expect_lines(output,
		     (const char *const[]){ "REMOTE_ADDR=2001:db8::7", "TCPLOCALIP=2001:db8::1",
					    "PROXY_ADDR=127\\.0\\.0\\.1", NULL });
	output = ask_at("::1", port, CLIENT);
	expect_lines(output, (const char *const[]){ "REMOTE_ADDR=192\\.0\\.2\\.7", "PROXY_ADDR=::1",
						    NULL });
	output = ask(port, "PROXY TCP6 ::ffff:192.0.2.9 ::ffff:10.0.0.1 4000 80\r\n");
	expect_lines(output, (const char *const[]){ "REMOTE_ADDR=192\\.0\\.2\\.9", NULL });
	service_wait_log("START: zzproxy .*from=2001:db8::7$");
	service_wait_log("START: zzproxy .*from=192\\.0\\.2\\.9$");
}
END_TEST

/* The kernel changes the family only while the client sends. */
static void expect_peer(const char *host, int port, const char *header, const char *peer)
{
	int fd = client_connect(host, port);

	client_send(fd, header);
	ck_assert(has_line(client_read_all(fd).data, textf("peer\\.address=%s", peer)));
}

/* Some programs know no other family than that of IPv4. */
START_TEST(a_program_gets_an_ipv4_socket_if_the_balancer_uses_ipv4)
{
	int port = add_balanced(textf("server = %s\n", place_program("report")));

	daemon_start();
	expect_peer(NULL, port, "PROXY TCP6 2001:db8::7 ::1 1 2\r\n",
		    kernel_changes_family() ? "127\\.0\\.0\\.1" : "::ffff:127\\.0\\.0\\.1");
	expect_peer("::1", port, CLIENT, "::1");
}
END_TEST

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define IN4 "\xc0\0\2\7\xc6\x33\x64\1\x0f\xa0\0\x50"

static const char with_facts[] = SIGNATURE "\x21\x11\0\x3c" IN4 "\5\0\5id\x00\nx"
					   "\2\0\xbwww.example"
					   "\x20\0\x17\7\0\0\0\0\x21\0\7TLSv1.3\x22\0\5\xc3\xa4 me";

START_TEST(what_a_balancer_says_besides_is_in_the_environment)
{
	static const char *const variables[] = {
		"REMOTE_ADDR=192\\.0\\.2\\.7",    "PROXY_UNIQUE_ID=id\\\\x00\\\\nx",
		"PROXY_AUTHORITY=www\\.example",  "PROXY_SSL_VERSION=TLSv1\\.3",
		"PROXY_SSL_CN=\\\\xC3\\\\xA4 me", NULL,
	};
	static const char *const own[] = { "PROXY_SSL_CN=root", "PROXY_ADDR=10.0.0.1", NULL };
	int port = add_balanced(ENV "env = PROXY_SSL_VERSION=none PROXY_HOST=kept\n");
	const char *output;

	daemon_start_with(&(struct daemon_options){ .environment = own });
	output = ask_bytes(port, with_facts, sizeof with_facts - 1);
	expect_lines(output, variables);
	ck_assert_uint_eq(text_count(output, "^PROXY_"), 7); /* and PROXY_ADDR, _PORT, _HOST */
	output = ask(port, CLIENT);
	ck_assert(!text_matches(output, "^PROXY_SSL"));
	ck_assert_uint_eq(text_count(output, "^PROXY_ADDR"), 1);
	output = ask(port, "PROXY UNKNOWN\r\n");
	ck_assert_uint_eq(text_count(output, "^PROXY_"), 1);
	ck_assert(has_line(output, "PROXY_HOST=kept"));
}
END_TEST

START_TEST(an_empty_passenv_leaves_the_host_alone)
{
	int port = add_balanced(ENV "passenv =\n");

	daemon_start();
	ck_assert_str_eq(ask_bytes(port, with_facts, sizeof with_facts - 1),
			 "REMOTE_HOST=192.0.2.7\n");
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
} of_the_balancer[] = {
#define ROW(text) \
	{ \
		text, sizeof(text) - 1 \
	}
	ROW("PROXY UNKNOWN\r\n"),           ROW("PROXY UNKNOWN junk 1 2 \x01 PROXY\r\n"),
	ROW(SIGNATURE "\x20\0\0\0"),        ROW(SIGNATURE "\x20\x11\0\xc" IN4),
	ROW(SIGNATURE "\x20\x21\0\5junky"), ROW(SIGNATURE "\x21\0\0\3abc"),
	ROW(SIGNATURE "\x21\x12\0\xc" IN4),
#undef ROW
};

START_TEST(a_health_check_is_the_balancers_own)
{
	int port = add_balanced(ENV), fd;
	const char *output;

	daemon_start();
	fd = client_connect(NULL, port);
	send_and_finish(fd, of_the_balancer[_i].bytes, of_the_balancer[_i].length);
	output = client_read_all(fd).data;
	expect_lines(output, (const char *const[]){ "REMOTE_ADDR=127\\.0\\.0\\.1",
						    "TCPLOCALIP=127\\.0\\.0\\.1",
						    textf("TCPLOCALPORT=%d", port), NULL });
	ck_assert(!text_matches(output, "^PROXY_"));
	service_wait_log("START: zzproxy .*from=127\\.0\\.0\\.1$");
}
END_TEST

/* --- what follows the header ------------------------------------------------------------------ */

static void expect_data_behind_it(int port)
{
	int fd;

	ck_assert_str_eq(ask(port, CLIENT "first\nsecond\n"), "first\nsecond\n");
	ck_assert_str_eq(ask(port, CLIENT CLIENT), CLIENT);
	fd = client_connect(NULL, port);
	for (const char *byte = CLIENT "x"; *byte; byte++)
		client_send_bytes(fd, byte, 1);
	client_finish_sending(fd);
	ck_assert_str_eq(client_read_all(fd).data, "x");
}

START_TEST(what_follows_is_the_programs)
{
	int port = add_balanced(CAT);

	daemon_start();
	expect_data_behind_it(port);
	ck_assert_str_eq(ask_bytes(port, SIGNATURE "\x21\x11\0\xc" IN4 "data", 32), "data");
}
END_TEST

START_TEST(what_follows_is_the_handlers)
{
	int port =
		add_service("echo", "type = INTERNAL UNLISTED\n%s%s", BALANCED, log_everything());

	daemon_start();
	expect_data_behind_it(port);
	service_wait_log("START: echo pid=0 from=192\\.0\\.2\\.7$");
}
END_TEST

START_TEST(a_header_comes_in_pieces_without_a_spin)
{
	static const char half[] = SIGNATURE "\x21\x11";
	int port = add_balanced(CAT), line, binary;

	daemon_start();
	line = client_connect(NULL, port);
	binary = client_connect(NULL, port);
	client_send(line, "PROXY TCP4 192.0.2.7");
	client_send_bytes(binary, half, sizeof half - 1);
	daemon_check_calm(line);
	client_send(line, " 198.51.100.1 4000 80\r\nword");
	client_send_bytes(binary, "\0\xc" IN4 "word", 2 + 12 + 4);
	client_expect(line, "word");
	client_expect(binary, "word");
}
END_TEST

START_TEST(a_header_may_be_as_long_as_it_can_be)
{
	enum { ALL = 16 + 65535 };
	char *bytes = keep(calloc(1, ALL + 4));
	int port = add_balanced(CAT), fd;

	memcpy(bytes, SIGNATURE "\x21\x11\xff\xff" IN4, 28);
	for (int at = 28; at + 3 <= ALL; at += 3)
		bytes[at] = '\4';
	ck_assert_int_eq((ALL - 28) % 3, 0);
	memcpy(bytes + ALL, "data", 4);
	daemon_start();
	fd = client_connect(NULL, port);
	send_and_finish(fd, bytes, ALL + 4);
	ck_assert_str_eq(client_read_all(fd).data, "data");
	service_wait_log("START: zzproxy .*from=192\\.0\\.2\\.7$");
}
END_TEST

START_TEST(the_banner_comes_after_the_header)
{
	int port, fd;

	place_write("banner", "welcome\n");
	port = add_balanced(textf("banner = %s\n" HELLO, place_path("banner")));
	daemon_start();
	fd = client_connect(NULL, port);
	ck_assert(client_hears_nothing(fd));
	client_send(fd, CLIENT);
	ck_assert_str_eq(client_read_all(fd).data, "welcome\nhello\n");
}
END_TEST

/* --- what is no header ------------------------------------------------------------------------ */

static const struct {
	const char *bytes;
	size_t length;
	const char *fault;
} hostile[] = {
#define ROW(text, fault) \
	{ \
		text, sizeof(text) - 1, fault \
	}
	ROW("GET / HTTP/1.0\r\n\r\n", "no PROXY header"),
	ROW("proxy TCP4 192.0.2.7 198.51.100.1 4000 80\r\n", "no PROXY header"),
	ROW("PROXY tcp4 192.0.2.7 198.51.100.1 4000 80\r\n", "unknown protocol"),
	ROW("PROXY TCP4 192.0.02.7 198.51.100.1 4000 80\r\n", "that is none"),
	ROW("PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\r\n", "that is none"),
	ROW("PROXY UNKNOWN 67890123456789012345678901234567890123456789012345678901234567890"
	    "12345678901234567890123456789012\r\n",
	    "does not end"),
	ROW(SIGNATURE "\x21\x11\0\xb" IN4, "too small"),
	ROW(SIGNATURE "\x21\x21\0\xc" IN4, "too small"),
	ROW(SIGNATURE "\x21\x11\0\x10" IN4 "\2\0\2x", "longer than what holds it"),
	ROW(SIGNATURE "\x21\x11\0\x13" IN4 "\3\0\4abcd", "wrong checksum"),
	ROW(SIGNATURE "\x31\x11\0\xc" IN4, "version or command"),
	ROW(SIGNATURE "\x22\x11\0\xc" IN4, "version or command"),
	ROW("PROXY TCP4 192.0.2.7", "ends within the PROXY header"),
#undef ROW
};

START_TEST(a_bad_header_is_refused)
{
	int port = add_balanced(HELLO), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	send_and_finish(fd, hostile[_i].bytes, hostile[_i].length);
	ck_assert_str_eq(client_read_all(fd).data, "");
	service_wait_log(LOG_TIME "FAIL: zzproxy proxy from=127\\.0\\.0\\.1$");
	daemon_wait_log("WARNING: service zzproxy: balancer 127\\.0\\.0\\.1: .*%s",
			hostile[_i].fault);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "START"), 0);
}
END_TEST

START_TEST(a_balancer_without_headers_does_not_fill_the_log)
{
	int port = add_balanced(HELLO);

	daemon_start();
	for (int i = 0; i < 50; i++)
		ask(port, "GET / HTTP/1.0\r\n\r\n");
	daemon_stop();
	ck_assert_uint_lt(text_count(service_log(), "FAIL: zzproxy proxy"), 25);
	ck_assert_uint_lt(text_count(daemon_log(), "no PROXY header"), 25);
	ck_assert(text_matches(service_log(), "FAIL: zzproxy proxy from=127\\.0\\.0\\.1 count="));
}
END_TEST

START_TEST(silence_is_refused)
{
	int port = add_balanced(HELLO), silent, slow;

	daemon_start();
	silent = client_connect(NULL, port);
	slow = client_connect(NULL, port);
	client_send(slow, "PROXY ");
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
	client_expect_end(silent);
	client_expect_end(slow);
	service_wait_log("FAIL: zzproxy proxy from=127\\.0\\.0\\.1$");
	daemon_wait_log("balancer 127\\.0\\.0\\.1: no PROXY header comes in time$");
}
END_TEST

/* The balancer is the one that is known. */
START_TEST(start_timeout_ends_a_header_that_does_not_come)
{
	int port = add_balanced(HELLO "start_timeout = 1\nlog_on_failure += HOST\n"), silent, slow;

	daemon_start();
	silent = client_connect(NULL, port);
	slow = client_connect(NULL, port);
	client_send(slow, "PROXY ");
	client_expect_end(silent);
	client_expect_end(slow);
	service_wait_lines(2, "FAIL: zzproxy start_timeout from=127\\.0\\.0\\.1$");
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "FAIL"), 2);
}
END_TEST

START_TEST(a_check_of_the_port_is_not_logged)
{
	int port = add_balanced(HELLO);

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	client_reset(client_connect(NULL, port));
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
	service_wait_log("EXIT: zzproxy ");
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "FAIL"), 0);
	ck_assert_uint_eq(text_count(service_log(), "START"), 1);
}
END_TEST

START_TEST(only_the_versions_that_are_set_are_read)
{
	int port = add_service("zzproxy", "proxy_protocol = v2\nproxy_from = 127.0.0.1\n%s" HELLO,
			       log_everything());

	daemon_start();
	ck_assert_str_eq(ask(port, CLIENT), "");
	service_wait_log("FAIL: zzproxy proxy from=127\\.0\\.0\\.1$");
	ck_assert_str_eq(ask_bytes(port, SIGNATURE "\x21\x11\0\xc" IN4, 28), "hello\n");
}
END_TEST

/* --- others ----------------------------------------------------------------------------------- */

START_TEST(others_are_refused)
{
	int port = add_balanced(HELLO);

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.9", port, CLIENT), "");
	service_wait_log("FAIL: zzproxy address from=127\\.0\\.0\\.9$");
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
}
END_TEST

START_TEST(others_may_come_directly)
{
	int port = add_balanced(CAT "proxy_others = direct\n");

	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.9", port, CLIENT), CLIENT);
	service_wait_log("START: zzproxy .*from=127\\.0\\.0\\.9$");
	ck_assert_str_eq(ask(port, CLIENT), "");
	service_wait_log("START: zzproxy .*from=192\\.0\\.2\\.7$");
	ck_assert_str_eq(ask(port, "no header"), "");
	service_wait_log("FAIL: zzproxy proxy from=127\\.0\\.0\\.1$");
}
END_TEST

/* --- who is judged ---------------------------------------------------------------------------- */

START_TEST(the_lists_are_about_the_client)
{
	int port = add_balanced(HELLO "only_from = 192.0.2.0/24\nno_access = 192.0.2.66 "
				      "127.0.0.1\n");

	daemon_start();
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.66")), "");
	service_wait_log("FAIL: zzproxy address from=192\\.0\\.2\\.66$");
	ck_assert_str_eq(ask(port, CLIENT_OF("203.0.113.1")), "");
	service_wait_log("FAIL: zzproxy address from=203\\.0\\.113\\.1$");
	ck_assert_str_eq(ask(port, "PROXY UNKNOWN\r\n"), "");
	service_wait_log("FAIL: zzproxy address from=127\\.0\\.0\\.1$");
}
END_TEST

START_TEST(a_sensor_bans_the_client)
{
	int port = add_balanced(HELLO), trap;

	trap = add_service("zztrap",
			   "type = INTERNAL UNLISTED\nflags = SENSOR\ndeny_time = 10\n%s%s",
			   BALANCED, log_everything());
	daemon_start();
	ask(trap, "PROXY UNKNOWN\r\n");
	ask(trap, CLIENT_OF("192.0.2.66"));
	daemon_wait_log("Adding 192\\.0\\.2\\.66 to the global_no_access list for 10 minutes");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.66")), "");
	service_wait_log("FAIL: zzproxy address from=192\\.0\\.2\\.66$");
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
	ck_assert_str_eq(ask(port, "PROXY UNKNOWN\r\n"), "hello\n");
	daemon_stop();
	ck_assert_uint_eq(text_count(daemon_log(), "Adding 127"), 0);
}
END_TEST

START_TEST(sources_are_clients)
{
	int port = add_balanced(CAT "per_source = 1\n"), one, other;

	daemon_start();
	one = client_connect(NULL, port);
	client_send(one, CLIENT "x\n");
	client_expect(one, "x\n");
	other = client_connect(NULL, port);
	client_send(other, CLIENT_OF("192.0.2.8") "y\n");
	client_expect(other, "y\n");
	ck_assert_str_eq(ask(port, CLIENT "z\n"), "");
	service_wait_log("FAIL: zzproxy per_source_limit from=192\\.0\\.2\\.7$");
}
END_TEST

START_TEST(rates_of_sources_are_of_clients)
{
	int port = add_balanced(HELLO "source_cps = 1/60 1\n");

	daemon_start();
	for (int host = 1; host < 20; host++)
		ck_assert_str_eq(ask(port, textf("PROXY TCP4 192.0.2.%d 10.0.0.1 1 2\r\n", host)),
				 "hello\n");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.5")), "");
	service_wait_log("FAIL: zzproxy source rate from=192\\.0\\.2\\.5$");
}
END_TEST

/* Half of what a service has room for, and some more. */
START_TEST(a_balancer_is_not_one_source_of_many_connections)
{
	enum { MANY = 4096 / 2 + 8 };
	int port = add_balanced(HELLO "cps = 0 0\n"), silent[MANY];
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 2 * MANY)
		return;
	daemon_start();
	for (int i = 0; i < MANY; i++)
		silent[i] = client_connect(NULL, port);
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
	for (int i = 0; i < MANY; i++)
		close(silent[i]);
	daemon_stop();
	ck_assert_uint_eq(text_count(service_log(), "too many arriving"), 0);
}
END_TEST

START_TEST(a_reload_judges_clients)
{
	int port = add_balanced(CAT), good, bad;

	daemon_start();
	good = client_connect(NULL, port);
	bad = client_connect(NULL, port);
	client_send(good, CLIENT "x\n");
	client_send(bad, CLIENT_OF("192.0.2.66") "x\n");
	client_expect(good, "x\n");
	client_expect(bad, "x\n");
	configuration_clear();
	add_service("zzproxy", BALANCED CAT "port = %d\nno_access = 192.0.2.66\n%s", port,
		    log_everything());
	daemon_reload();
	client_expect_end(bad);
	client_ping(good);
}
END_TEST

START_TEST(a_balancer_may_be_one_no_more)
{
	int port = add_balanced(CAT), early;

	daemon_start();
	early = client_connect(NULL, port);
	client_send(early, "PROXY TCP4 ");
	ck_assert_str_eq(ask(port, CLIENT "x"), "x");
	configuration_clear();
	add_service("zzproxy", CAT "port = %d\nproxy_protocol = v1\nproxy_from = 127.0.0.9\n%s",
		    port, log_everything());
	daemon_reload();
	client_send(early, "192.0.2.7 198.51.100.1 4000 80\r\n");
	client_expect_end(early);
	service_wait_log("FAIL: zzproxy proxy from=127\\.0\\.0\\.1$");
}
END_TEST

START_TEST(no_identity_is_asked_for)
{
	int port = add_balanced(HELLO "log_on_success += USERID\nlog_on_failure += USERID\n"
				      "no_access = 192.0.2.66\n");

	daemon_start();
	daemon_wait_log("WARNING: .*service zzproxy: USERID has no effect here: no ident server "
			"is asked about a client of a balancer");
	ck_assert_str_eq(ask(port, CLIENT), "hello\n");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.66")), "");
}
END_TEST

/* --- other ways to a service ------------------------------------------------------------------ */

START_TEST(tcpmux_passes_the_client_on)
{
	int port =
		add_service("tcpmux", "type = INTERNAL UNLISTED\n%s%s", BALANCED, log_everything());
	char *bytes = keep(malloc(sizeof with_facts + 8));
	const char *output;

	configure("service zzmux\n{\n\ttype = UNLISTED TCPMUX\n\tsocket_type = stream\n"
		  "\tprotocol = tcp\n\twait = no\n\tuser = %s\n" ENV
		  "no_access = 192.0.2.66\n%s}\n",
		  current_user(), log_everything());
	daemon_start();
	memcpy(bytes, with_facts, sizeof with_facts - 1);
	memcpy(bytes + sizeof with_facts - 1, "zzmux\r\n", 7);
	output = ask_bytes(port, bytes, sizeof with_facts - 1 + 7);
	expect_lines(output, (const char *const[]){ "REMOTE_ADDR=192\\.0\\.2\\.7",
						    "TCPLOCALIP=198\\.51\\.100\\.1",
						    "PROXY_ADDR=127\\.0\\.0\\.1",
						    "PROXY_AUTHORITY=www\\.example", NULL });
	service_wait_log("START: zzmux .*from=192\\.0\\.2\\.7$");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.66") "zzmux\r\n"),
			 "-Service not available\r\n");
	service_wait_log("FAIL: zzmux address from=192\\.0\\.2\\.66$");
}
END_TEST

/* Its ident server does not know a connection to this host. */
START_TEST(who_must_be_identified_is_refused)
{
	int port =
		add_service("tcpmux", "type = INTERNAL UNLISTED\n%s%s", BALANCED, log_everything());

	configure("service zzmux\n{\n\ttype = UNLISTED TCPMUX\n\tsocket_type = stream\n"
		  "\tprotocol = tcp\n\twait = no\n\tuser = %s\n" HELLO "no_access = 192.0.2.66\n"
		  "flags = IDONLY\n%slog_on_success += USERID\nlog_on_failure += USERID\n}\n",
		  current_user(), log_everything());
	daemon_start();
	ck_assert_str_eq(ask(port, CLIENT "zzmux\r\n"), "-Service not available\r\n");
	service_wait_log("NOID: zzmux 192\\.0\\.2\\.7 comes through a balancer$");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.66") "zzmux\r\n"),
			 "-Service not available\r\n");
	daemon_stop();
	ck_assert_uint_eq(text_count(daemon_log(), "identity server"), 0);
}
END_TEST

START_TEST(clients_of_a_wait_server_are_judged)
{
	int port = add_balanced(textf("wait = yes\nflags = INTERCEPT\nno_access = 192.0.2.66\n"
				      "server = %s\n",
				      place_program("wait_stream")));

	daemon_start();
	ck_assert_str_ne(ask(port, CLIENT "x\n"), "");
	ck_assert_str_eq(ask(port, CLIENT_OF("192.0.2.66") "x\n"), "");
	service_wait_log("FAIL: zzproxy address from=192\\.0\\.2\\.66$");
}
END_TEST

/* --- send_proxy ------------------------------------------------------------------------------- */

static int target_open(int *port)
{
	struct endpoint here = endpoint_of(NULL, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&here.address, &here.length), 0);
	*port = ntohs(((struct sockaddr_in *)&here.address)->sin_port);
	return fd;
}

static int target_accept(int target)
{
	int fd = accept(target, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int add_sender(int target_port, const char *lines)
{
	return add_service("zzrd", "redirect = 127.0.0.1 %d\n%slog_on_success += TRAFFIC\n%s",
			   target_port, log_everything(), lines);
}

START_TEST(a_target_is_told_the_client)
{
	int target_port, target = target_open(&target_port), client, server;
	int port = add_sender(target_port, "send_proxy = v1\n");

	daemon_start();
	client = client_connect_from("127.0.0.5", NULL, port);
	client_send(client, "word\n");
	server = target_accept(target);
	ck_assert_str_eq(client_read_line(server), textf("PROXY TCP4 127.0.0.5 127.0.0.1 %d %d\r",
							 client_port(client), port));
	ck_assert_str_eq(client_read_line(server), "word");
	client_send(server, "answer");
	close(server);
	ck_assert_str_eq(client_read_all(client).data, "answer");
	close(client);
	service_wait_log("TRAFFIC: zzrd in=5\\(bytes\\) out=6\\(bytes\\)$");
	close(target);
}
END_TEST

START_TEST(a_target_is_told_the_client_in_binary)
{
	static const char start[] = SIGNATURE "\x21\x21\0\x24";
	int target_port, target = target_open(&target_port), client, server;
	int port = add_sender(target_port, "send_proxy = v2\n");
	struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	struct bytes header;

	daemon_start();
	client = client_connect("::1", port);
	server = target_accept(target);
	header = client_read(server, 16 + 36);
	ck_assert_mem_eq(header.data, start, 16);
	ck_assert_mem_eq(header.data + 16, &loopback, 16);
	ck_assert_mem_eq(header.data + 32, &loopback, 16);
	ck_assert_uint_eq((unsigned char)header.data[48] << 8 | (unsigned char)header.data[49],
			  client_port(client));
	client_send(client, "word");
	client_expect(server, "word");
	close(target);
}
END_TEST

START_TEST(a_target_is_told_the_client_of_the_balancer)
{
	int target_port, target = target_open(&target_port), client, server;
	int port = add_sender(target_port, "send_proxy = v1\n" BALANCED);

	daemon_start();
	client = client_connect(NULL, port);
	client_send(client, "PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r\nword\n");
	server = target_accept(target);
	ck_assert_str_eq(client_read_line(server), "PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r");
	ck_assert_str_eq(client_read_line(server), "word");
	close(server);
	client_expect_end(client);
	service_wait_log("START: zzrd pid=0 from=2001:db8::7$");
	close(target);
}
END_TEST

START_TEST(a_balanced_service_understands_it)
{
	int inner = add_service("zzinner", ENV BALANCED);
	int port = add_sender(inner, "send_proxy = v2\n" BALANCED);

	daemon_start();
	expect_lines(ask(port, CLIENT), (const char *const[]){ "REMOTE_ADDR=192\\.0\\.2\\.7",
							       "TCPLOCALPORT=80", NULL });
}
END_TEST

/* --- the status report ------------------------------------------------------------------------ */

START_TEST(the_report_names_the_balancer)
{
	int port = add_balanced(CAT), client;
	const char *report;

	configure("daemon\n{\n\tstatus_file = %s\n}\n", place_path("status"));
	daemon_start();
	client = client_connect(NULL, port);
	client_send(client, CLIENT "x");
	client_expect(client, "x");
	daemon_signal(SIGUSR1);
	for (struct deadline deadline = deadline_in(DEADLINE_MS);
	     !text_matches(report = place_read("status"), "^END OF DUMP");)
		ck_assert_int_gt(deadline_left(&deadline), 0);
	ck_assert(text_matches(report, "from = 192\\.0\\.2\\.7, through = 127\\.0\\.0\\.1, since"));
}
END_TEST

Suite *proxy_suite(void)
{
	Suite *suite = suite_create("proxy");
	TCase *in = daemon_tcase(suite, "in");
	TCase *judged = daemon_tcase(suite, "judged");
	TCase *out = daemon_tcase(suite, "out");

	tcase_add_test(in, the_client_of_a_line_is_served);
	tcase_add_test(in, ipv6_clients_come_through_ipv4_and_the_other_way_round);
	tcase_add_test(in, a_program_gets_an_ipv4_socket_if_the_balancer_uses_ipv4);
	tcase_add_test(in, what_a_balancer_says_besides_is_in_the_environment);
	tcase_add_test(in, an_empty_passenv_leaves_the_host_alone);
	tcase_add_loop_test(in, a_health_check_is_the_balancers_own, 0,
			    sizeof of_the_balancer / sizeof of_the_balancer[0]);
	tcase_add_test(in, what_follows_is_the_programs);
	tcase_add_test(in, what_follows_is_the_handlers);
	tcase_add_test(in, a_header_comes_in_pieces_without_a_spin);
	tcase_add_test(in, a_header_may_be_as_long_as_it_can_be);
	tcase_add_test(in, the_banner_comes_after_the_header);
	tcase_add_loop_test(in, a_bad_header_is_refused, 0, sizeof hostile / sizeof hostile[0]);
	tcase_add_test(in, a_balancer_without_headers_does_not_fill_the_log);
	tcase_add_test(in, silence_is_refused);
	tcase_add_test(in, start_timeout_ends_a_header_that_does_not_come);
	tcase_add_test(in, a_check_of_the_port_is_not_logged);
	tcase_add_test(in, only_the_versions_that_are_set_are_read);
	tcase_add_test(judged, others_are_refused);
	tcase_add_test(judged, others_may_come_directly);
	tcase_add_test(judged, the_lists_are_about_the_client);
	tcase_add_test(judged, a_sensor_bans_the_client);
	tcase_add_test(judged, sources_are_clients);
	tcase_add_test(judged, rates_of_sources_are_of_clients);
	tcase_add_test(judged, a_balancer_is_not_one_source_of_many_connections);
	tcase_add_test(judged, a_reload_judges_clients);
	tcase_add_test(judged, a_balancer_may_be_one_no_more);
	tcase_add_test(judged, no_identity_is_asked_for);
	tcase_add_test(judged, tcpmux_passes_the_client_on);
	tcase_add_test(judged, who_must_be_identified_is_refused);
	tcase_add_test(judged, clients_of_a_wait_server_are_judged);
	tcase_add_test(judged, the_report_names_the_balancer);
	tcase_add_test(out, a_target_is_told_the_client);
	tcase_add_test(out, a_target_is_told_the_client_in_binary);
	tcase_add_test(out, a_target_is_told_the_client_of_the_balancer);
	tcase_add_test(out, a_balanced_service_understands_it);
	return suite;
}
