/* Every byte of the built-in services: RFC 862, 863, 864, 867 and 868, stream and
 * datagram. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_1900_TO_1970 2208988800U

static int add_builtin(const char *name, const char *type, const char *lines)
{
	return add_service(name, "id = %s-%s\ntype = INTERNAL UNLISTED\nsocket_type = %s\n%s", name,
			   type, type, lines);
}

static char *pattern_bytes(size_t length)
{
	char *bytes = keep(malloc(length));

	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return bytes;
}

/* --- echo --- */

START_TEST(echo_returns_every_byte)
{
	int port = add_builtin("echo", "stream", ""), fd;
	char *every = pattern_bytes(3000);

	daemon_start();
	fd = client_connect(NULL, port);
	client_send_bytes(fd, "\0\1\2\377", 4);
	client_expect_bytes(fd, "\0\1\2\377", 4);
	client_send_bytes(fd, every, 3000);
	client_expect_bytes(fd, every, 3000);
	client_finish_sending(fd);
	client_expect_end(fd);
}
END_TEST

START_TEST(echo_returns_what_came_before_the_end)
{
	int port = add_builtin("echo", "stream", "");

	daemon_start();
	ck_assert_str_eq(ask(port, "the last words"), "the last words");
}
END_TEST

START_TEST(echo_waits_for_a_slow_reader)
{
	enum { SIZE = 8 << 20, PART = 1 << 16 };
	int port = add_builtin("echo", "stream", ""), fd;
	char *bytes = pattern_bytes(SIZE);
	size_t sent = 0, received = 0;

	daemon_start();
	fd = client_connect(NULL, port);
	while (sent < SIZE) {
		/* Reads only when every buffer on the way is full. */
		ssize_t got = send(fd, bytes + sent, sent + PART < SIZE ? PART : SIZE - sent,
				   MSG_NOSIGNAL);

		if (got > 0) {
			sent += (size_t)got;
		} else {
			client_expect_bytes(fd, bytes + received, PART);
			received += PART;
		}
	}
	client_finish_sending(fd);
	client_expect_bytes(fd, bytes + received, SIZE - received);
	client_expect_end(fd);
}
END_TEST

START_TEST(echo_serves_many_at_once)
{
	enum { CLIENTS = 100 };
	int port = add_builtin("echo", "stream", "cps = 0 0\n"), fds[CLIENTS];

	daemon_start();
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(NULL, port);
	for (int i = CLIENTS; i-- > 0;) {
		client_send(fds[i], textf("client %d\n", i));
		client_expect(fds[i], textf("client %d\n", i));
	}
	for (int i = 0; i < CLIENTS; i++) {
		client_finish_sending(fds[i]);
		client_expect_end(fds[i]);
	}
}
END_TEST

START_TEST(echo_survives_a_reset)
{
	int port = add_builtin("echo", "stream", ""), fd;

	daemon_start();
	for (int i = 0; i < 20; i++) {
		fd = client_connect(NULL, port);
		client_send(fd, "never read");
		client_reset(fd);
	}
	ck_assert_str_eq(ask(port, "still there"), "still there");
}
END_TEST

static const size_t datagram_sizes[] = { 0, 1, 512, 1472, 2048, 2049, 4000, 9000, 65507 };

START_TEST(echo_returns_a_datagram_of_any_size)
{
	size_t size = datagram_sizes[_i];
	int port = add_builtin("echo", "dgram", ""), fd;
	char *bytes = pattern_bytes(size + 1);
	struct bytes answer;

	daemon_start();
	fd = datagram_connect(NULL, NULL, port);
	datagram_send(fd, bytes, size);
	answer = datagram_receive(fd);
	ck_assert_msg(answer.length == size, "%zu of %zu bytes came back", answer.length, size);
	ck_assert_mem_eq(answer.data, bytes, size);
	close(fd);
}
END_TEST

START_TEST(echo_answers_a_burst_of_datagrams)
{
	enum { CLIENTS = 50 };
	int port = add_builtin("echo", "dgram", ""), fds[CLIENTS];

	daemon_start();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = datagram_connect(NULL, NULL, port);
		datagram_send(fds[i], &i, sizeof i);
	}
	for (int i = 0; i < CLIENTS; i++) {
		struct bytes answer = datagram_receive(fds[i]);

		ck_assert_uint_eq(answer.length, sizeof i);
		ck_assert_mem_eq(answer.data, &i, sizeof i);
	}
}
END_TEST

START_TEST(echo_answers_datagrams_from_the_address_they_came_to)
{
	int port = add_builtin("echo", "dgram", ""), fd;

	daemon_start();
	/* A connected socket receives from its peer alone. */
	fd = datagram_connect(NULL, "127.0.0.9", port);
	datagram_send(fd, "nine", 4);
	ck_assert_str_eq(datagram_receive(fd).data, "nine");
	close(fd);
}
END_TEST

START_TEST(echo_answers_datagrams_over_ipv6)
{
	int port = add_builtin("echo", "dgram", ""), fd;

	daemon_start();
	fd = datagram_connect(NULL, "::1", port);
	datagram_send(fd, "six", 3);
	ck_assert_str_eq(datagram_receive(fd).data, "six");
	close(fd);
}
END_TEST

/* --- discard --- */

START_TEST(discard_swallows_and_says_nothing)
{
	enum { SIZE = 4 << 20 };
	int port = add_builtin("discard", "stream", ""), fd;

	daemon_start();
	fd = client_connect(NULL, port);
	client_send_bytes(fd, pattern_bytes(SIZE), SIZE);
	ck_assert(client_hears_nothing(fd));
	client_finish_sending(fd);
	client_expect_end(fd);
}
END_TEST

START_TEST(discard_answers_no_datagram)
{
	int discard = add_builtin("discard", "dgram", ""), fd;
	int echo = add_builtin("echo", "dgram", "");

	daemon_start();
	fd = datagram_connect(NULL, NULL, discard);
	for (int i = 0; i < 20; i++)
		datagram_send(fd, "nothing", 7);
	ck_assert_str_eq(datagram_ask(echo, "alive"), "alive");
	ck_assert(client_hears_nothing(fd));
	close(fd);
}
END_TEST

/* --- daytime --- */

/* The time in the form of the RFC's second example, with month and zone as in xinetd. */
static const char *daytime_at(time_t now)
{
	char text[64];
	struct tm local;

	localtime_r(&now, &local);
	strftime(text, sizeof text, "%d %b %Y %H:%M:%S %Z\r\n", &local);
	for (char *c = text + 3; c < text + 6; c++)
		*c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
	return textf("%s", text);
}

static bool is_daytime_between(const char *text, time_t first, time_t last)
{
	for (time_t second = first; second <= last; second++)
		if (strcmp(text, daytime_at(second)) == 0)
			return true;
	return false;
}

START_TEST(daytime_says_one_line)
{
	int port = add_builtin("daytime", "stream", "");
	time_t before = time(NULL);
	char *answer;
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	answer = client_read_all(fd).data;
	close(fd);
	ck_assert_msg(is_daytime_between(answer, before, time(NULL)), "%s", answer);
}
END_TEST

START_TEST(daytime_speaks_local_time)
{
	static const char *const environment[] = { "TZ=TEST-05:30", NULL };
	int port = add_builtin("daytime", "stream", "");
	time_t before = time(NULL);
	char *answer;

	daemon_start_with(&(struct daemon_options){ .environment = environment });
	answer = ask(port, "");
	setenv("TZ", "TEST-05:30", 1);
	tzset();
	ck_assert_msg(is_daytime_between(answer, before, time(NULL)), "%s", answer);
}
END_TEST

START_TEST(daytime_answers_any_datagram)
{
	int port = add_builtin("daytime", "dgram", "");
	time_t before = time(NULL);
	char *answer;

	daemon_start();
	answer = datagram_ask(port, "");
	ck_assert_msg(is_daytime_between(answer, before, time(NULL)), "%s", answer);
	answer = datagram_ask(port, "whatever it says");
	ck_assert_msg(is_daytime_between(answer, before, time(NULL)), "%s", answer);
}
END_TEST

/* --- time --- */

static void check_time(struct bytes answer, time_t before)
{
	uint32_t seconds;

	ck_assert_uint_eq(answer.length, sizeof seconds);
	memcpy(&seconds, answer.data, sizeof seconds);
	seconds = ntohl(seconds) - SECONDS_1900_TO_1970;
	ck_assert_uint_ge(seconds, (uint32_t)before);
	ck_assert_uint_le(seconds, (uint32_t)time(NULL));
}

START_TEST(time_says_four_bytes)
{
	int port = add_builtin("time", "stream", ""), fd;
	time_t before = time(NULL);

	daemon_start();
	fd = client_connect(NULL, port);
	check_time(client_read_all(fd), before);
	close(fd);
}
END_TEST

START_TEST(time_answers_any_datagram)
{
	int port = add_builtin("time", "dgram", ""), fd;
	time_t before = time(NULL);

	daemon_start();
	fd = datagram_connect(NULL, NULL, port);
	datagram_send(fd, "", 0);
	check_time(datagram_receive(fd), before);
	datagram_send(fd, "more", 4);
	check_time(datagram_receive(fd), before);
	close(fd);
}
END_TEST

/* --- chargen --- */

/* Line i of the RFC's pattern: 72 of the 95 printable characters, each line
 * one further on the ring than the one before. */
static void chargen_line(char line[static 75], unsigned i)
{
	for (unsigned column = 0; column < 72; column++)
		line[column] = (char)(' ' + (i + column) % 95);
	memcpy(line + 72, "\r\n", 3);
}

START_TEST(chargen_turns_the_whole_ring)
{
	int port = add_builtin("chargen", "stream", ""), fd;
	char *first, line[75];
	unsigned start;

	daemon_start();
	fd = client_connect(NULL, port);
	first = client_read(fd, 74).data;
	start = (unsigned)(first[0] - ' ');
	chargen_line(line, start);
	ck_assert_str_eq(first, line);
	for (unsigned i = 1; i < 300; i++) {
		chargen_line(line, start + i);
		client_expect(fd, line);
	}
	close(fd);
}
END_TEST

START_TEST(chargen_goes_on_until_the_client_leaves)
{
	enum { CLIENTS = 5 };
	int port = add_builtin("chargen", "stream", ""), fds[CLIENTS];

	daemon_start();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(NULL, port);
		client_read(fds[i], 1 << 20);
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(client_connect(NULL, port));
	wait_until(process_children(daemon_pid()) == 0);
	ck_assert(daemon_is_running());
}
END_TEST

START_TEST(chargen_answers_a_datagram_with_lines)
{
	int port = add_builtin("chargen", "dgram", "");
	char *answer, line[75];
	unsigned start;
	size_t length;

	daemon_start();
	answer = datagram_ask(port, "x");
	length = strlen(answer);
	ck_assert_uint_ge(length, 1);
	ck_assert_uint_le(length, 512);
	start = (unsigned)(answer[0] - ' ');
	for (unsigned i = 0; length > 0; i++) {
		size_t part = length < 74 ? length : 74;

		chargen_line(line, start + i);
		if (part == 74)
			ck_assert_msg(strncmp(answer, line, 74) == 0, "line %u: %.74s", i, answer);
		answer += part;
		length -= part;
	}
}
END_TEST

/* --- all of them --- */

static const char *const builtins[] = { "echo", "discard", "daytime", "time", "chargen" };
enum { BUILTINS = sizeof builtins / sizeof builtins[0] };

START_TEST(builtins_start_no_process)
{
	int ports[BUILTINS], fds[BUILTINS];

	for (int i = 0; i < BUILTINS; i++)
		ports[i] = add_builtin(builtins[i], "stream", "");
	daemon_start();
	for (int i = 0; i < BUILTINS; i++)
		fds[i] = client_connect(NULL, ports[i]);
	client_ping(fds[0]);
	client_read(fds[4], 1);
	ck_assert_uint_eq(process_children(daemon_pid()), 0);
	for (int i = 0; i < BUILTINS; i++)
		close(fds[i]);
}
END_TEST

START_TEST(silent_clients_hold_up_nobody)
{
	enum { SILENT = 20 };
	int ports[BUILTINS], fds[BUILTINS][SILENT];

	for (int i = 0; i < BUILTINS; i++)
		ports[i] = add_builtin(builtins[i], "stream", "");
	daemon_start();
	for (int i = 0; i < BUILTINS; i++)
		for (int j = 0; j < SILENT; j++)
			fds[i][j] = client_connect(NULL, ports[i]);
	ck_assert_str_eq(ask(ports[0], "me too"), "me too");
	for (int i = 0; i < BUILTINS; i++)
		for (int j = 0; j < SILENT; j++)
			close(fds[i][j]);
}
END_TEST

START_TEST(unlisted_builtins_know_their_name)
{
	int port = add_service("echo", "id = another\ntype = UNLISTED INTERNAL\n");

	daemon_start();
	ck_assert_str_eq(ask(port, "echo"), "echo");
}
END_TEST

static const char *const lasting[] = { "echo", "discard", "chargen" };

/* The client of chargen does not read, so that this connection is idle, too. */
START_TEST(idle_clients_are_ended)
{
	int port =
		add_builtin(lasting[_i], "stream", textf("idle_timeout = 1\n%s", log_everything()));
	int fd;

	daemon_start();
	fd = client_connect(NULL, port);
	service_wait_log("EXIT: %s-stream status=0 ", lasting[_i]);
	client_read_all(fd);
}
END_TEST

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* They send for longer than idle_timeout, with shorter pauses. */
START_TEST(clients_that_speak_are_not_idle)
{
	enum { IDLE_MS = 2000 };
	int port = add_builtin("echo", "stream", "idle_timeout = 2\n"), fd;
	int64_t began, last, now;
	char byte = 'x';

	daemon_start();
	fd = client_connect(NULL, port);
	for (began = last = now = milliseconds(); now - began < IDLE_MS + IDLE_MS / 4; last = now) {
		struct pollfd answer = { .fd = fd, .events = POLLIN };
		bool lives = send(fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
			     poll(&answer, 1, DEADLINE_MS) == 1 && recv(fd, &byte, 1, 0) == 1;

		now = milliseconds();
		if (!lives && now - last >= IDLE_MS) /* it was idle: this machine is too slow */
			break;
		ck_assert_msg(lives, "ended after %d ms", (int)(now - last));
	}
	close(fd);
}
END_TEST

START_TEST(an_unknown_builtin_is_refused)
{
	int port = add_service("telepathy", "type = INTERNAL UNLISTED\n");
	int good = add_builtin("echo", "stream", "");

	daemon_start();
	ck_assert(client_is_refused(NULL, port));
	ck_assert_str_eq(ask(good, "fine"), "fine");
	daemon_wait_log("telepathy");
}
END_TEST

Suite *builtins_suite(void)
{
	Suite *suite = suite_create("builtins");
	TCase *echo = daemon_tcase(suite, "echo");
	TCase *discard = daemon_tcase(suite, "discard");
	TCase *daytime = daemon_tcase(suite, "daytime");
	TCase *seconds = daemon_tcase(suite, "time");
	TCase *chargen = daemon_tcase(suite, "chargen");
	TCase *all = daemon_tcase(suite, "all");

	tcase_add_test(echo, echo_returns_every_byte);
	tcase_add_test(echo, echo_returns_what_came_before_the_end);
	tcase_add_test(echo, echo_waits_for_a_slow_reader);
	tcase_add_test(echo, echo_serves_many_at_once);
	tcase_add_test(echo, echo_survives_a_reset);
	tcase_add_loop_test(echo, echo_returns_a_datagram_of_any_size, 0,
			    sizeof datagram_sizes / sizeof datagram_sizes[0]);
	tcase_add_test(echo, echo_answers_a_burst_of_datagrams);
	tcase_add_test(echo, echo_answers_datagrams_from_the_address_they_came_to);
	tcase_add_test(echo, echo_answers_datagrams_over_ipv6);
	tcase_add_test(discard, discard_swallows_and_says_nothing);
	tcase_add_test(discard, discard_answers_no_datagram);
	tcase_add_test(daytime, daytime_says_one_line);
	tcase_add_test(daytime, daytime_speaks_local_time);
	tcase_add_test(daytime, daytime_answers_any_datagram);
	tcase_add_test(seconds, time_says_four_bytes);
	tcase_add_test(seconds, time_answers_any_datagram);
	tcase_add_test(chargen, chargen_turns_the_whole_ring);
	tcase_add_test(chargen, chargen_goes_on_until_the_client_leaves);
	tcase_add_test(chargen, chargen_answers_a_datagram_with_lines);
	tcase_add_test(all, builtins_start_no_process);
	tcase_add_test(all, silent_clients_hold_up_nobody);
	tcase_add_test(all, unlisted_builtins_know_their_name);
	tcase_add_loop_test(all, idle_clients_are_ended, 0, 3);
	tcase_add_test(all, clients_that_speak_are_not_idle);
	tcase_add_test(all, an_unknown_builtin_is_refused);
	return suite;
}
