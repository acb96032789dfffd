#include "frontend/wait_delay.h"
#include "support/client.h"
#include "support/deadline.h"
#include "support/place.h"

#include <check.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct wait_delay delay;
static int server, client;

static void open_server(int type)
{
	struct endpoint here = endpoint_of(NULL, 0);

	server = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server, (struct sockaddr *)&here.address, here.length), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(server, 8), 0);
}

static void set_up(void)
{
	place_make();
	delay = (struct wait_delay){ .idle = 0 };
}

static void tear_down(void)
{
	close(server);
	close(client);
	place_remove();
}

static void wait_readable(void)
{
	struct pollfd readable = { .fd = server, .events = POLLIN };

	ck_assert_int_eq(poll(&readable, 1, 10000), 1);
}

static void send_one(const char *text)
{
	datagram_send(client, text, 3);
	wait_readable();
}

static void read_one(void)
{
	char bytes[8];

	ck_assert_int_eq(recv(server, bytes, sizeof bytes, 0), 3);
}

/* The next server runs for so many milliseconds and calls read, unless that is NULL. */
static uint64_t serve(uint64_t lasted, void (*read)(void))
{
	wait_delay_begin(&delay, server);
	if (read)
		read();
	return wait_delay_end(&delay, server, lasted);
}

static const uint64_t waits[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };

/* A server reads nothing. When the host had other connections meanwhile, this is not
 * known, and the wait stays the same. */
static void expect_wait(uint64_t wait)
{
	unsigned idle = delay.idle;

	for (struct deadline deadline = deadline_in(DEADLINE_MS);;) {
		uint64_t last = serve(10, NULL);

		if (delay.idle != idle) {
			ck_assert_uint_eq(last, wait);
			ck_assert_int_eq(delay.is_first, wait == WAIT_DELAY_FIRST_MS);
			return;
		}
		deadline_pause(&deadline, "no connections to this host", __FILE__, __LINE__);
	}
}

static void expect_growing_waits(void)
{
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
		expect_wait(waits[i]);
}

static void open_datagrams(void)
{
	open_server(SOCK_DGRAM);
	client = datagram_connect(NULL, NULL, client_port(server));
	send_one("one");
}

START_TEST(servers_that_read_nothing_wait_ever_longer)
{
	open_datagrams();
	expect_growing_waits();
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(serve(10, NULL), WAIT_DELAY_MAX_MS);
}
END_TEST

START_TEST(a_server_that_reads_begins_anew)
{
	open_datagrams();
	send_one("two");
	send_one("six");
	expect_growing_waits();
	ck_assert_uint_eq(serve(10, read_one), 0);
	ck_assert_uint_eq(serve(10, NULL), 0);
	ck_assert_uint_eq(serve(10, NULL), 100);
	read_one();
	ck_assert_uint_eq(serve(10, read_one), 0); /* nothing is left */
	ck_assert_uint_eq(serve(10, NULL), 0);
}
END_TEST

START_TEST(a_server_that_lasts_begins_anew)
{
	open_datagrams();
	expect_growing_waits();
	ck_assert_uint_eq(serve(WAIT_QUICK_MS, NULL), 0);
	ck_assert_uint_eq(serve(10, NULL), 0);
}
END_TEST

START_TEST(a_server_that_reads_one_of_many_that_are_the_same_is_not_delayed)
{
	open_datagrams();
	for (int i = 0; i < 8; i++)
		send_one("one");
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(serve(10, read_one), 0);
	expect_growing_waits();
}
END_TEST

START_TEST(a_server_finds_its_socket_as_it_was)
{
	int tells_time = -1;
	socklen_t size = sizeof tells_time;

	open_datagrams();
	serve(10, NULL);
	ck_assert_int_eq(getsockopt(server, SOL_SOCKET, SO_TIMESTAMPNS, &tells_time, &size), 0);
	ck_assert_int_eq(tells_time, 0);
}
END_TEST

static void accept_one(void)
{
	close(accept4(server, NULL, NULL, SOCK_CLOEXEC));
}

START_TEST(servers_that_accept_nothing_wait_ever_longer)
{
	int second;

	open_server(SOCK_STREAM);
	client = client_connect(NULL, client_port(server));
	wait_readable();
	expect_growing_waits();
	ck_assert_uint_eq(serve(10, accept_one), 0);
	second = client_connect(NULL, client_port(server));
	wait_readable();
	expect_wait(0);
	expect_wait(100);
	close(second);
}
END_TEST

static int others[8], others_count;

/* One is taken, and another comes. */
static void accept_one_of_many(void)
{
	accept_one();
	others[others_count++] = client_connect(NULL, client_port(server));
	wait_readable();
}

START_TEST(a_server_that_accepts_one_of_many_is_not_delayed)
{
	open_server(SOCK_STREAM);
	client = client_connect(NULL, client_port(server));
	wait_readable();
	others_count = 0;
	for (int i = 0; i < 8; i++)
		ck_assert_uint_eq(serve(10, accept_one_of_many), 0);
	for (int i = 0; i < 8; i++)
		close(others[i]);
}
END_TEST

Suite *wait_delay_suite(void);

Suite *wait_delay_suite(void)
{
	Suite *suite = suite_create("wait_delay");
	TCase *delays = tcase_create("delays");

	tcase_add_checked_fixture(delays, set_up, tear_down);
	tcase_add_test(delays, servers_that_read_nothing_wait_ever_longer);
	tcase_add_test(delays, a_server_that_reads_begins_anew);
	tcase_add_test(delays, a_server_that_lasts_begins_anew);
	tcase_add_test(delays, a_server_that_reads_one_of_many_that_are_the_same_is_not_delayed);
	tcase_add_test(delays, a_server_finds_its_socket_as_it_was);
	tcase_add_test(delays, a_server_that_accepts_one_of_many_is_not_delayed);
	tcase_add_test(delays, servers_that_accept_nothing_wait_ever_longer);
	suite_add_tcase(suite, delays);
	return suite;
}
