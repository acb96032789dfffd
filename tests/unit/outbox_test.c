#include "base/outbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 1 << 20 };

static struct outbox outbox;
static int pair[2];
static char bytes[MANY], received[MANY];

static void set_up(void)
{
	outbox = (struct outbox){ .bytes = NULL };
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (char)(i * 7 + i / 251);
}

static void tear_down(void)
{
	outbox_clear(&outbox);
	close(pair[0]);
	close(pair[1]);
}

/* Returns how many bytes have come. */
static size_t receive_some(size_t before)
{
	ssize_t length;

	while ((length = recv(pair[1], received + before, MANY - before, MSG_DONTWAIT)) > 0)
		before += (size_t)length;
	return before;
}

START_TEST(what_fits_is_sent_and_not_kept)
{
	ck_assert_int_eq(outbox_send(&outbox, pair[0], bytes, 100), 0);
	ck_assert(outbox_is_empty(&outbox));
	ck_assert_uint_eq(receive_some(0), 100);
	ck_assert_mem_eq(received, bytes, 100);
}
END_TEST

START_TEST(the_rest_is_kept_in_order)
{
	size_t length = 0;
	int kept = outbox_send(&outbox, pair[0], bytes, MANY);

	ck_assert_int_eq(kept, 1);
	ck_assert(!outbox_is_empty(&outbox));
	for (int turns = 0; kept == 1 && turns < MANY; turns++) {
		length = receive_some(length);
		kept = outbox_flush(&outbox, pair[0]);
	}
	ck_assert_int_eq(kept, 0);
	ck_assert(outbox_is_empty(&outbox));
	ck_assert_uint_eq(receive_some(length), MANY);
	ck_assert_mem_eq(received, bytes, MANY);
}
END_TEST

/* As a terminal, which is no socket. */
START_TEST(other_descriptors_get_it_in_order_too)
{
	int ends[2], kept;
	size_t length = 0;
	ssize_t some;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	kept = outbox_write(&outbox, ends[1], bytes, MANY);
	ck_assert_int_eq(kept, 1);
	for (int turns = 0; kept == 1 && turns < MANY; turns++) {
		while ((some = read(ends[0], received + length, MANY - length)) > 0)
			length += (size_t)some;
		kept = outbox_write_rest(&outbox, ends[1]);
	}
	ck_assert_int_eq(kept, 0);
	while ((some = read(ends[0], received + length, MANY - length)) > 0)
		length += (size_t)some;
	ck_assert_uint_eq(length, MANY);
	ck_assert_mem_eq(received, bytes, MANY);
	close(ends[0]);
	ck_assert_int_eq(outbox_write(&outbox, ends[1], bytes, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(ends[1]);
}
END_TEST

START_TEST(more_can_be_kept_behind_it)
{
	size_t half = MANY / 2, length = 0;
	int kept = outbox_send(&outbox, pair[0], bytes, half);

	ck_assert_int_eq(kept, 1);
	length = receive_some(length);
	kept = outbox_flush(&outbox, pair[0]);
	ck_assert_int_eq(outbox_add(&outbox, bytes + half, half), 0);
	ck_assert_int_eq(outbox_add(&outbox, bytes, 0), 0);
	for (int turns = 0; kept == 1 && turns < MANY; turns++) {
		length = receive_some(length);
		kept = outbox_flush(&outbox, pair[0]);
	}
	ck_assert_int_eq(kept, 0);
	ck_assert_uint_eq(receive_some(length), MANY);
	ck_assert_mem_eq(received, bytes, MANY);
	ck_assert_int_eq(outbox_add(&outbox, bytes, 10), 0);
	ck_assert_int_eq(outbox_flush(&outbox, pair[0]), 0);
	ck_assert_uint_eq(receive_some(0), 10);
}
END_TEST

START_TEST(without_room_nothing_changes)
{
	ck_assert_int_eq(outbox_send(&outbox, pair[0], bytes, MANY), 1);
	ck_assert_int_eq(outbox_flush(&outbox, pair[0]), 1);
	ck_assert(!outbox_is_empty(&outbox));
}
END_TEST

START_TEST(a_broken_connection_is_told)
{
	ck_assert_int_eq(outbox_send(&outbox, pair[0], bytes, MANY), 1);
	close(pair[1]);
	ck_assert_int_eq(outbox_flush(&outbox, pair[0]), -1);
	ck_assert_int_eq(errno, EPIPE);
	outbox_clear(&outbox);
	ck_assert(outbox_is_empty(&outbox));
	ck_assert_int_eq(outbox_send(&outbox, pair[0], bytes, 1), -1);
	pair[1] = dup(pair[0]);
}
END_TEST

Suite *outbox_suite(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tcase = tcase_create("outbox");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_fits_is_sent_and_not_kept);
	tcase_add_test(tcase, the_rest_is_kept_in_order);
	tcase_add_test(tcase, other_descriptors_get_it_in_order_too);
	tcase_add_test(tcase, more_can_be_kept_behind_it);
	tcase_add_test(tcase, without_room_nothing_changes);
	tcase_add_test(tcase, a_broken_connection_is_told);
	suite_add_tcase(suite, tcase);
	return suite;
}
