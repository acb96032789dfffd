#include "base/log.h"
#include "base/loop.h"
#include "base/sink.h"
#include "base/timer.h"
#include "session/identify.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THEIR_PORT = 6193, OUR_PORT = 23 };

/* --- an identd with the replies of the test ---------------------------------------- */

enum ending { STAYS, CLOSES, RESETS };

static struct {
	struct watch listener, connection;
	struct timer next;
	struct address from;
	char query[64];
	size_t query_length;
	const char *reply;
	size_t piece; /* bytes sent at once; 0: all */
	enum ending ending;
} identd;

static void hang_up(void)
{
	struct linger at_once = { .l_onoff = 1 };

	if (!watch_is_started(&identd.connection))
		return;
	if (identd.ending == RESETS)
		setsockopt(identd.connection.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	watch_stop(&identd.connection);
	close(identd.connection.fd);
}

static void send_piece(struct timer *timer)
{
	size_t left = strlen(identd.reply);
	size_t length = identd.piece > 0 && identd.piece < left ? identd.piece : left;

	if (length > 0)
		ck_assert_int_eq(send(identd.connection.fd, identd.reply, length, MSG_NOSIGNAL),
				 (ssize_t)length);
	identd.reply += length;
	if (length < left)
		timer_start(timer, 0);
	else if (identd.ending != STAYS)
		hang_up();
}

static void read_query(struct watch *watch, short events)
{
	ssize_t length = recv(watch->fd, identd.query + identd.query_length,
			      sizeof identd.query - 1 - identd.query_length, 0);

	(void)events;
	if (length <= 0) {
		hang_up();
		return;
	}
	identd.query_length += (size_t)length;
	if (strchr(identd.query, '\n'))
		timer_start(&identd.next, 0);
}

static void accept_connection(struct watch *watch, short events)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof from;
	int fd =
		accept4(watch->fd, (struct sockaddr *)&from, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	ck_assert_int_ge(fd, 0);
	identd.from = address_from_sockaddr((struct sockaddr *)&from, length);
	watch_init(&identd.connection, fd, read_query);
	ck_assert_int_eq(watch_start(&identd.connection, LOOP_READ), 0);
}

static struct address address_of(const char *text, uint16_t port)
{
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, port) == 0, "%s is no address", text);
	return address;
}

/* Binds a port of host that the kernel chooses and tells identify about it. */
static int bind_identd(const char *host)
{
	struct address address = address_of(host, 0);
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(bind(fd, &address.any, address.length) == 0, "%s: %s", host, strerror(errno));
	ck_assert_int_eq(getsockname(fd, &address.any, &address.length), 0);
	identify_set_port(address_port(&address));
	return fd;
}

static void start_identd(const char *host, const char *reply, size_t piece, enum ending ending)
{
	int fd = bind_identd(host);

	identd.reply = reply;
	identd.piece = piece;
	identd.ending = ending;
	timer_init(&identd.next, send_piece);
	watch_init(&identd.listener, fd, accept_connection);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(watch_start(&identd.listener, LOOP_READ), 0);
}

static void stop_identd(void)
{
	timer_stop(&identd.next);
	hang_up();
	watch_stop(&identd.listener);
	close(identd.listener.fd);
}

/* --- asking it ------------------------------------------------------------------- */

static struct {
	int calls;
	enum identify_result result;
	char user[512];
} told;

static void take_result(void *context, enum identify_result result, const char *user)
{
	ck_assert_ptr_eq(context, &told);
	ck_assert_int_eq(result == IDENTIFIED, user != NULL);
	told.calls++;
	told.result = result;
	snprintf(told.user, sizeof told.user, "%s", user ? user : "");
	loop_stop();
}

static struct identification *start(const char *local, const char *peer, uint64_t deadline_ms)
{
	struct address ours = address_of(local, OUR_PORT), theirs = address_of(peer, THEIR_PORT);
	struct identification *identification =
		identify_start(&ours, &theirs, deadline_ms, take_result, &told);

	ck_assert_ptr_nonnull(identification);
	ck_assert_int_eq(told.calls, 0);
	return identification;
}

static void set_up(void)
{
	memset(&identd, 0, sizeof identd);
	watch_init(&identd.connection, -1, read_query);
	memset(&told, 0, sizeof told);
	place_make();
	ck_assert_int_eq(loop_init(), 0);
	ck_assert_int_eq(log_to_file(place_path("log")), 0);
}

static void tear_down(void)
{
	log_to_stderr();
	loop_free();
	place_remove();
}

#define LONG_TEXT_8 "xxxxxxxx"
#define LONG_TEXT_64 \
	LONG_TEXT_8 LONG_TEXT_8 LONG_TEXT_8 LONG_TEXT_8 LONG_TEXT_8 LONG_TEXT_8 LONG_TEXT_8 \
		LONG_TEXT_8
#define LONG_TEXT_512 \
	LONG_TEXT_64 LONG_TEXT_64 LONG_TEXT_64 LONG_TEXT_64 LONG_TEXT_64 LONG_TEXT_64 LONG_TEXT_64 \
		LONG_TEXT_64

static const struct {
	const char *reply;
	size_t piece;
	enum ending ending;
	enum identify_result result;
	const char *user, *logged;
} replies[] = {
	{ "6193,23:USERID:UNIX:joe\r\n", 0, STAYS, IDENTIFIED, "UNIX:joe", "" },
	{ "6193,23:USERID:UNIX:joe\r\n", 0, CLOSES, IDENTIFIED, "UNIX:joe", "" },
	{ " 6193 , 23 : USERID : UNIX , UTF-8 : joe doe \r\n", 1, STAYS, IDENTIFIED,
	  "UNIX , UTF-8 : joe doe", "" },
	{ "6193,23:USERID:UNIX:joe\n6193,23:USERID:UNIX:jane\n", 0, STAYS, IDENTIFIED, "UNIX:joe",
	  "" },
	{ "6193,23:USERID:UNIX:a\033[2J\r\n", 5, STAYS, IDENTIFIED, "UNIX:a\\x1B[2J", "" },
	{ "6193,23:ERROR:NO-USER\r\n", 0, STAYS, IDENTIFY_BAD_RESPONSE, "",
	  "Bad line received from identity server at 127.0.0.1: 6193,23:ERROR:NO-USER$" },
	{ "23,6193:USERID:UNIX:joe\r\n", 0, STAYS, IDENTIFY_BAD_RESPONSE, "", "Bad line" },
	{ "\001\r\n", 0, STAYS, IDENTIFY_BAD_RESPONSE, "", "127.0.0.1: \\\\x01$" },
	{ "\n", 0, STAYS, IDENTIFY_BAD_RESPONSE, "", "Bad line" },
	{ LONG_TEXT_512 LONG_TEXT_512, 100, STAYS, IDENTIFY_BAD_RESPONSE, "", "x{512}" },
	{ LONG_TEXT_512 LONG_TEXT_512 LONG_TEXT_512, 0, STAYS, IDENTIFY_BAD_RESPONSE, "",
	  "x{512}" },
	{ "6193,23:USERID:UNIX:jo", 0, CLOSES, IDENTIFY_RECEIVE_ERROR, "",
	  "identd server reply missing ending CR-LF$" },
	{ "", 0, CLOSES, IDENTIFY_RECEIVE_ERROR, "", "identd server reply missing ending CR-LF$" },
	{ "6193,23:US", 0, RESETS, IDENTIFY_RECEIVE_ERROR, "", "" },
	{ "6193,23:USERID:UNIX:jo", 0, STAYS, IDENTIFY_TIMED_OUT, "", "" },
	{ "", 0, STAYS, IDENTIFY_TIMED_OUT, "", "" },
};

/* Long enough for an answer, if there is one. */
static uint64_t deadline_for(enum identify_result result)
{
	return result == IDENTIFY_TIMED_OUT ? 100 : UINT64_MAX;
}

START_TEST(understands_what_it_is_told)
{
	start_identd("127.0.0.1", replies[_i].reply, replies[_i].piece, replies[_i].ending);
	start("127.0.0.1", "127.0.0.1", deadline_for(replies[_i].result));
	loop_run();
	ck_assert_msg(told.calls == 1 && told.result == replies[_i].result, "row %d: %s", _i,
		      identify_result_text(told.result));
	ck_assert_msg(strcmp(told.user, replies[_i].user) == 0, "row %d: user \"%s\"", _i,
		      told.user);
	ck_assert_str_eq(identd.query, "6193,23\r\n");
	sink_flush_all();
	ck_assert_msg(text_matches(place_read("log"), replies[_i].logged), "row %d: log \"%s\"", _i,
		      place_read("log"));
	ck_assert_msg(*replies[_i].logged || !*place_read("log"), "row %d: log \"%s\"", _i,
		      place_read("log"));
	stop_identd();
}
END_TEST

START_TEST(asks_from_the_address_that_was_reached)
{
	struct address ours = address_of("127.0.0.2", 0);

	start_identd("127.0.0.3", "6193,23:USERID:OTHER:1000\r\n", 0, CLOSES);
	start("127.0.0.2", "127.0.0.3", UINT64_MAX);
	loop_run();
	ck_assert_int_eq(told.result, IDENTIFIED);
	ck_assert_str_eq(told.user, "OTHER:1000");
	ck_assert(address_same_host(&identd.from, &ours));
	ck_assert_uint_ne(address_port(&identd.from), OUR_PORT);
	stop_identd();
}
END_TEST

START_TEST(asks_over_ipv6)
{
	struct address ours = address_of("::1", 0);

	start_identd("::1", "6193,23:USERID:UNIX:six\r\n", 0, CLOSES);
	start("::1", "::1", UINT64_MAX);
	loop_run();
	ck_assert_int_eq(told.result, IDENTIFIED);
	ck_assert_str_eq(told.user, "UNIX:six");
	ck_assert(address_same_host(&identd.from, &ours));
	stop_identd();
}
END_TEST

/* The port is bound, so that no other process gets it, but nothing listens on it. */
START_TEST(says_when_nobody_answers)
{
	int fd = bind_identd("127.0.0.1");

	start("127.0.0.1", "127.0.0.1", UINT64_MAX);
	loop_run();
	ck_assert_int_eq(told.calls, 1);
	ck_assert_int_eq(told.result, IDENTIFY_NO_SERVER);
	close(fd);
}
END_TEST

static const struct {
	const char *local, *peer; /* NULL: unknown */
	enum identify_result result;
} impossible[] = {
	{ "192.0.2.1", "127.0.0.1", IDENTIFY_SYSTEM_ERROR },
	{ "127.0.0.1", "::1", IDENTIFY_SYSTEM_ERROR },
	{ "::1", "127.0.0.1", IDENTIFY_SYSTEM_ERROR },
	{ NULL, "127.0.0.1", IDENTIFY_SYSTEM_ERROR },
	{ "127.0.0.1", NULL, IDENTIFY_SYSTEM_ERROR },
	{ NULL, NULL, IDENTIFY_SYSTEM_ERROR },
	{ "127.0.0.1", "255.255.255.255", IDENTIFY_NO_SERVER },
};

START_TEST(says_later_what_fails_at_once)
{
	unsigned before = process_descriptors(getpid());
	struct address unknown = address_from_sockaddr(NULL, 0);
	struct address local =
		impossible[_i].local ? address_of(impossible[_i].local, OUR_PORT) : unknown;
	struct address peer =
		impossible[_i].peer ? address_of(impossible[_i].peer, THEIR_PORT) : unknown;

	ck_assert_ptr_nonnull(identify_start(&local, &peer, UINT64_MAX, take_result, &told));
	ck_assert_int_eq(told.calls, 0);
	loop_run();
	ck_assert_msg(told.calls == 1 && told.result == impossible[_i].result, "row %d: %s", _i,
		      identify_result_text(told.result));
	ck_assert_uint_eq(process_descriptors(getpid()), before);
}
END_TEST

static void cancel_is_due(struct timer *timer);

static struct {
	struct timer timer;
	struct identification *identification;
	int turns;
} cancel = { .timer = { .callback = cancel_is_due } };

static void cancel_is_due(struct timer *timer)
{
	if (cancel.turns-- > 0) {
		timer_start(timer, 0);
		return;
	}
	identify_cancel(cancel.identification);
	loop_stop();
}

/* While it connects, and while it waits for the answer. */
START_TEST(says_nothing_once_it_is_cancelled)
{
	unsigned before = process_descriptors(getpid());

	start_identd("127.0.0.1", "6193,23:USER", 0, STAYS);
	cancel.identification = start("127.0.0.1", "127.0.0.1", UINT64_MAX);
	cancel.turns = _i;
	timer_start(&cancel.timer, 0);
	loop_run();
	stop_identd();
	ck_assert_int_eq(told.calls, 0);
	ck_assert_uint_eq(process_descriptors(getpid()), before);
}
END_TEST

START_TEST(closes_what_it_opened)
{
	unsigned before = process_descriptors(getpid());

	start_identd("127.0.0.1", "6193,23:USERID:UNIX:joe\r\n", 0, CLOSES);
	start("127.0.0.1", "127.0.0.1", UINT64_MAX);
	loop_run();
	stop_identd();
	ck_assert_int_eq(told.calls, 1);
	ck_assert_uint_eq(process_descriptors(getpid()), before);
}
END_TEST

static const struct {
	enum identify_result result;
	const char *text;
} texts[] = {
	{ IDENTIFY_NO_SERVER, "no server" },
	{ IDENTIFY_TIMED_OUT, "timeout" },
	{ IDENTIFY_SYSTEM_ERROR, "system error" },
	{ IDENTIFY_RECEIVE_ERROR, "error while receiving response" },
	{ IDENTIFY_BAD_RESPONSE, "bad response" },
};

START_TEST(has_the_words_of_a_noid_line)
{
	ck_assert_str_eq(identify_result_text(texts[_i].result), texts[_i].text);
}
END_TEST

static bool has_ipv6(void)
{
	struct sockaddr_in6 loopback = { .sin6_family = AF_INET6,
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;

	if (fd >= 0)
		close(fd);
	return is_bound;
}

#define ROWS(table) ((int)(sizeof table / sizeof table[0]))

Suite *identify_suite(void);

Suite *identify_suite(void)
{
	Suite *suite = suite_create("identify");
	TCase *asking = tcase_create("asking"), *failing = tcase_create("failing");

	tcase_add_checked_fixture(asking, set_up, tear_down);
	tcase_add_loop_test(asking, understands_what_it_is_told, 0, ROWS(replies));
	tcase_add_test(asking, asks_from_the_address_that_was_reached);
	if (has_ipv6())
		tcase_add_test(asking, asks_over_ipv6);
	tcase_add_loop_test(asking, says_nothing_once_it_is_cancelled, 0, 8);
	tcase_add_test(asking, closes_what_it_opened);
	tcase_add_checked_fixture(failing, set_up, tear_down);
	tcase_add_test(failing, says_when_nobody_answers);
	tcase_add_loop_test(failing, says_later_what_fails_at_once, 0, ROWS(impossible));
	tcase_add_loop_test(failing, has_the_words_of_a_noid_line, 0, ROWS(texts));
	suite_add_tcase(suite, asking);
	suite_add_tcase(suite, failing);
	return suite;
}
