#include "base/clock.h"
#include "handlers/tcpmux.h"
#include "support/client.h"
#include "support/place.h"
#include "support/stage.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define LONGEST FIFTY FIFTY FIFTY FIFTY FIFTY "012345" /* TCPMUX_LINE_MAX */

/* --- the line ------------------------------------------------------------------------ */

static const struct {
	const char *bytes;
	size_t size; /* 0: up to the NUL */
	int length;
	size_t end;
} lines[] = {
	{ "", 0, -1, 0 },          { "name", 0, -1, 0 },      { "name\r", 0, -1, 0 },
	{ "name\r\n", 0, 4, 6 },   { "name\n", 0, 4, 5 },     { "name\r\r\n", 0, 5, 7 },
	{ "na\rme\r\n", 0, 5, 7 }, { "\r\n", 0, 0, 2 },       { "\n", 0, 0, 1 },
	{ "\r", 0, -1, 0 },        { "a\r\nb\r\n", 0, 1, 3 }, { "\n\r\n", 0, 0, 1 },
	{ "a\0b\r\n", 5, 3, 5 },   { "name\r\n", 5, -1, 0 },
};

START_TEST(cuts_the_line)
{
	size_t size = lines[_i].size ? lines[_i].size : strlen(lines[_i].bytes);
	char *bytes = size > 0 ? keep(malloc(size)) : NULL; /* ASan sees a read beyond it */
	size_t end = 0;
	int length;

	if (size > 0)
		memcpy(bytes, lines[_i].bytes, size);
	length = tcpmux_line_length(bytes, size, &end);
	ck_assert_msg(length == lines[_i].length && end == lines[_i].end,
		      "row %d: length %d, end %zu", _i, length, end);
}
END_TEST

/* --- the services behind it --------------------------------------------------------------- */

static int transferred;     /* the connection, or -1 */
static int names;           /* how many services there are */
static const char *refused; /* the last unknown name */

static bool transfer(struct session *session, const char *name)
{
	if (strcasecmp(name, "wanted") != 0 && strcmp(name, LONGEST) != 0) {
		refused = textf("%s", name);
		return false;
	}
	transferred = session_take_fd(session);
	return true;
}

static void each_name(void (*visit)(const char *name, void *context), void *context)
{
	for (int i = 0; i < names; i++)
		visit(textf("service-%d", i), context);
}

static void set_up(void)
{
	static const struct tcpmux_callbacks callbacks = { transfer, each_name };

	stage_set_up();
	tcpmux_init(&callbacks);
	transferred = -1;
	names = 2;
	refused = "";
}

static void tear_down(void)
{
	if (transferred >= 0)
		close(transferred);
	stage_tear_down();
}

#define START "START: svc pid=0\n"
#define EXIT "EXIT: svc status=0 pid=0\n"

static void expect_lines(const char *expected, int row)
{
	const char *lines_now = stage_lines();

	ck_assert_msg(strcmp(lines_now, expected) == 0, "row %d: logged \"%s\"", row, lines_now);
}

/* --- requests -------------------------------------------------------------------------------- */

/* A request is sent in pieces, one a turn; '|' stands between them. */
static const struct {
	const char *request;
	const char *left; /* bytes left for the service; NULL: no such service */
} wanted[] = {
	{ "wanted\r\n", "" },
	{ "wanted\n", "" },
	{ "WANTED\r\n", "" },
	{ "wanted\r\nleft for it", "left for it" },
	{ "wanted\nleft for it", "left for it" },
	{ "wanted\r\n\r\nsecond line\r\n", "\r\nsecond line\r\n" },
	{ "w|a|n|ted\r|\n", "" },
	{ "wan|ted|\r\n|more", "more" },
	{ "wanted|\r\nmore|and more", "moreand more" },
	{ LONGEST "\r\n", "" },
	{ LONGEST "\r\nx", "x" },
	{ LONGEST "|\r|\n", "" },
	{ FIFTY "|" FIFTY FIFTY "|" FIFTY FIFTY "|012345\nleft", "left" },
};

static void send_pieces(const char *request)
{
	char *pieces = textf("%s", request), *piece;

	while ((piece = strsep(&pieces, "|")) != NULL) {
		client_send(stage.client, piece);
		loop_turn(0);
	}
}

START_TEST(transfers_the_connection)
{
	char left[64];
	ssize_t length;

	stage_serve(&tcpmux_handler);
	send_pieces(wanted[_i].request);
	turn_until(!stage.session);
	ck_assert_msg(transferred >= 0, "row %d was not transferred", _i);
	length = recv(transferred, left, sizeof left, MSG_DONTWAIT);
	ck_assert_msg(length == (ssize_t)strlen(wanted[_i].left) ||
			      (length < 0 && !*wanted[_i].left),
		      "row %d: %zd bytes are left", _i, length);
	ck_assert_msg(length < 0 || memcmp(left, wanted[_i].left, (size_t)length) == 0,
		      "row %d: \"%.*s\" is left", _i, (int)length, left);
	expect_lines(START EXIT, _i);

	ck_assert_int_eq(send(transferred, "hello", 5, 0), 5);
	client_expect(stage.client, "hello");
}
END_TEST

static const struct {
	const char *request;
	size_t size; /* 0: up to the NUL */
	const char *reply, *asked_for;
} unwanted[] = {
	{ "other\r\n", 0, "-Service name not found\r\n", "other" },
	{ "other\nand more", 0, "-Service name not found\r\n", "other" },
	{ "wanted \r\n", 0, "-Service name not found\r\n", "wanted " },
	{ "want\r\n", 0, "-Service name not found\r\n", "want" },
	{ "wanted\r\r\n", 0, "-Service name not found\r\n", "wanted\r" },
	{ "wanted\0\r\n", 9, "-Service name not found\r\n", "" },
	{ "help\0\r\n", 7, "-Service name not found\r\n", "" },
	{ "helper\r\n", 0, "-Service name not found\r\n", "helper" },
	{ "\r\n", 0, "-Service name missing\r\n", "" },
	{ "\n", 0, "-Service name missing\r\n", "" },
	{ "\r\nwanted\r\n", 0, "-Service name missing\r\n", "" },
	{ LONGEST "6\n", 0, "-Service name too long\r\n", "" },
	{ LONGEST "6\r\n", 0, "-Service name too long\r\n", "" },
	{ LONGEST "67", 0, "-Service name too long\r\n", "" },
	{ LONGEST LONGEST LONGEST "\r\n", 0, "-Service name too long\r\n", "" },
	{ "help\r\n", 0, "service-0\r\nservice-1\r\n", "" },
	{ "HeLP\n", 0, "service-0\r\nservice-1\r\n", "" },
	{ "help\r\nand more", 0, "service-0\r\nservice-1\r\n", "" },
};

/* Unread bytes must not make TCP reset the connection: the client might lose the reply. */
static void expect_reply_and_end(const char *reply, int row)
{
	char bytes[128];
	ssize_t length = recv(stage.client, bytes, sizeof bytes, 0);

	ck_assert_msg(length == (ssize_t)strlen(reply) && memcmp(bytes, reply, (size_t)length) == 0,
		      "row %d: the reply is \"%.*s\"", row, length < 0 ? 0 : (int)length, bytes);
	length = recv(stage.client, bytes, sizeof bytes, 0);
	ck_assert_msg(length == 0, "row %d: after the reply comes %s", row,
		      length < 0 ? strerror(errno) : "more");
}

START_TEST(replies)
{
	size_t size = unwanted[_i].size ? unwanted[_i].size : strlen(unwanted[_i].request);

	stage_serve(&tcpmux_handler);
	client_send_bytes(stage.client, unwanted[_i].request, size);
	client_finish_sending(stage.client); /* otherwise the connection lingers */
	turn_until(!stage.session);
	expect_reply_and_end(unwanted[_i].reply, _i);
	ck_assert_msg(transferred == -1, "row %d was transferred", _i);
	ck_assert_msg(strcmp(refused, unwanted[_i].asked_for) == 0, "row %d: asked for \"%s\"", _i,
		      refused);
	expect_lines(START EXIT, _i);
}
END_TEST

START_TEST(what_was_sent_before_is_read_at_once)
{
	stage_connect();
	client_send(stage.client, "wanted\r\n");
	stage_serve(&tcpmux_handler);
	ck_assert_ptr_null(stage.session);
	ck_assert_int_ge(transferred, 0);
}
END_TEST

static void serve_with_little_room(void)
{
	const int size = 20000;

	names = 100000;
	stage_serve(&tcpmux_handler);
	ck_assert_int_eq(setsockopt(stage.session->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size),
			 0);
}

START_TEST(help_can_be_long)
{
	static char bytes[65536];
	size_t newlines = 0;
	ssize_t length = -1;

	serve_with_little_room();
	client_send(stage.client, "help\r\n");
	turn_until(!stage.session || !outbox_is_empty(&stage.session->unsent));
	ck_assert_ptr_nonnull(stage.session);
	for (struct deadline deadline = deadline_in(DEADLINE_MS); length != 0;) {
		stage_turn(&deadline, "the end of help");
		length = recv(stage.client, bytes, sizeof bytes, 0);
		for (ssize_t i = 0; i < length; i++)
			newlines += bytes[i] == '\n';
	}
	ck_assert_uint_eq(newlines, 100000);
	expect_lines(START EXIT, 0);
	client_send(stage.client, "not read");
	client_finish_sending(stage.client);
	turn_until(!stage.session);
}
END_TEST

/* --- other ends ---------------------------------------------------------------------------- */

static const char *const unfinished[] = { "", "wanted", "wanted\r", LONGEST };

START_TEST(silence_ends_it)
{
	stage_serve(&tcpmux_handler);
	send_pieces(unfinished[_i]);
	timers_run(clock_now() + TCPMUX_DEADLINE_MS - 5000);
	ck_assert_ptr_nonnull(stage.session);
	timers_run(clock_now() + TCPMUX_DEADLINE_MS);
	ck_assert_msg(!stage.session, "\"%s\" is still waited for", unfinished[_i]);
	client_expect_end(stage.client);
	stage.client = -1;
	expect_lines(START EXIT, _i);
}
END_TEST

START_TEST(the_end_of_the_client_ends_it)
{
	stage_serve(&tcpmux_handler);
	send_pieces(unfinished[_i]);
	client_finish_sending(stage.client);
	turn_until(!stage.session);
	client_expect_end(stage.client);
	stage.client = -1;
	ck_assert_int_eq(transferred, -1);
	expect_lines(START EXIT, _i);
}
END_TEST

START_TEST(a_reset_ends_it)
{
	stage_serve(&tcpmux_handler);
	send_pieces(unfinished[_i]);
	client_reset(stage.client);
	stage.client = -1;
	turn_until(!stage.session);
	expect_lines(START EXIT, _i);
}
END_TEST

START_TEST(is_closed_at_any_moment)
{
	serve_with_little_room();
	client_send(stage.client, _i ? "help\r\n" : "wan");
	loop_turn(0);
	ck_assert_ptr_nonnull(stage.session);
	ck_assert_int_eq(!outbox_is_empty(&stage.session->unsent), _i);
	session_close(stage.session);
	ck_assert_ptr_null(stage.session);
	timers_run(clock_now() + 2 * TCPMUX_DEADLINE_MS);
	expect_lines(START, _i);
}
END_TEST

Suite *tcpmux_suite(void);

Suite *tcpmux_suite(void)
{
	Suite *suite = suite_create("tcpmux");
	TCase *line = tcase_create("line"), *handler = tcase_create("handler");

	tcase_add_checked_fixture(line, place_make, place_remove);
	tcase_add_loop_test(line, cuts_the_line, 0, ROWS(lines));
	suite_add_tcase(suite, line);

	tcase_add_checked_fixture(handler, set_up, tear_down);
	tcase_set_timeout(handler, 30);
	tcase_add_loop_test(handler, transfers_the_connection, 0, ROWS(wanted));
	tcase_add_loop_test(handler, replies, 0, ROWS(unwanted));
	tcase_add_test(handler, what_was_sent_before_is_read_at_once);
	tcase_add_test(handler, help_can_be_long);
	tcase_add_loop_test(handler, silence_ends_it, 0, ROWS(unfinished));
	tcase_add_loop_test(handler, the_end_of_the_client_ends_it, 0, ROWS(unfinished));
	tcase_add_loop_test(handler, a_reset_ends_it, 0, ROWS(unfinished));
	tcase_add_loop_test(handler, is_closed_at_any_moment, 0, 2);
	suite_add_tcase(suite, handler);
	return suite;
}
