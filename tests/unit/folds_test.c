#include "session/folds.h"

#include "base/loop.h"
#include "support/deadline.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>

/* SHORT_MS is for tests that wait for the end of a window. */
enum { LONG_MS = 3600 * 1000, SHORT_MS = 20 };

static const struct source_prefix lengths = { .in4 = 32, .in6 = 64 };

static struct address address_of(const char *text)
{
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, 7) == 0, "%s is no address", text);
	return address;
}

static struct address numbered_address(uint32_t number)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(number) };

	return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
}

/* --- what is written ---------------------------------------------------------------- */

static struct {
	unsigned calls;
	uint64_t counted;
	char last[160];
} written;

static void take(void *context, enum verdict verdict, const struct address *peer, uint64_t count)
{
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_ptr_eq(context, &written);
	written.calls++;
	written.counted += count;
	snprintf(written.last, sizeof written.last, "%s %s %llu", verdict_text(verdict),
		 peer ? address_text(peer, text) : "several", (unsigned long long)count);
}

static struct folds *folds;

static void set_up(void)
{
	ck_assert_int_eq(loop_init(), 0);
	folds = folds_new(take, &written);
	ck_assert_ptr_nonnull(folds);
}

static void tear_down(void)
{
	folds_free(folds);
	loop_free();
}

/* Writes the counts, as at the daemon's end. */
static void end_all(void)
{
	folds_free(folds);
	folds = folds_new(take, &written);
	ck_assert_ptr_nonnull(folds);
}

static bool begin(const char *peer, enum verdict verdict)
{
	struct address address = address_of(peer);

	return folds_begin(folds, verdict, &address, lengths, LONG_MS);
}

/* --- tests --------------------------------------------------------------------------- */

START_TEST(the_first_is_written_and_the_rest_counted)
{
	ck_assert(begin("10.0.0.1", REFUSED_RATE));
	for (int i = 0; i < 5; i++)
		ck_assert(!begin("10.0.0.1", REFUSED_RATE));
	ck_assert_uint_eq(written.calls, 0);
	end_all();
	ck_assert_uint_eq(written.calls, 1);
	ck_assert_str_eq(written.last, "connections per second 10.0.0.1 5");
}
END_TEST

START_TEST(a_single_refusal_has_no_count)
{
	ck_assert(begin("10.0.0.1", REFUSED_RATE));
	end_all();
	ck_assert_uint_eq(written.calls, 0);
}
END_TEST

/* Two refusals, and whether the second belongs to the window of the first. */
static const struct {
	const char *one, *other;
	enum verdict verdict, other_verdict;
	bool is_folded;
} pairs[] = {
	{ "10.0.0.1", "10.0.0.1", REFUSED_RATE, REFUSED_RATE, true },
	{ "10.0.0.1", "10.0.0.2", REFUSED_RATE, REFUSED_RATE, false },
	{ "10.0.0.1", "10.0.0.1", REFUSED_RATE, REFUSED_BANNED, false },
	{ "10.0.0.1", "10.0.0.1", REFUSED_ADDRESS, REFUSED_BANNED, false },
	{ "10.0.0.1", "::ffff:10.0.0.1", REFUSED_RATE, REFUSED_RATE, true },
	{ "2001:db8::1", "2001:db8::2", REFUSED_RATE, REFUSED_RATE, true },
	{ "2001:db8::1", "2001:db8:0:1::1", REFUSED_RATE, REFUSED_RATE, false },
};

START_TEST(a_window_is_of_one_source_and_reason)
{
	ck_assert(begin(pairs[_i].one, pairs[_i].verdict));
	ck_assert_msg(begin(pairs[_i].other, pairs[_i].other_verdict) != pairs[_i].is_folded,
		      "row %d", _i);
}
END_TEST

START_TEST(the_last_address_of_the_source_is_told)
{
	begin("2001:db8::1", REFUSED_RATE);
	begin("2001:db8::2", REFUSED_RATE);
	end_all();
	ck_assert_str_eq(written.last, "connections per second 2001:db8::2 1");
}
END_TEST

START_TEST(an_unknown_address_is_a_source)
{
	struct address unknown = { .length = 0 };

	ck_assert(folds_begin(folds, REFUSED_RATE, &unknown, lengths, LONG_MS));
	ck_assert(!folds_begin(folds, REFUSED_RATE, &unknown, lengths, LONG_MS));
	end_all();
	ck_assert_str_eq(written.last, "connections per second <no address> 1");
}
END_TEST

static void turn_until_written(unsigned calls)
{
	for (struct deadline deadline = deadline_in(DEADLINE_MS); written.calls < calls;) {
		ck_assert_msg(deadline_left(&deadline) > 0, "%u lines in vain", calls);
		loop_turn(deadline_left(&deadline));
	}
}

START_TEST(a_window_ends_by_itself_and_another_begins)
{
	struct address peer = address_of("10.0.0.1");

	ck_assert(folds_begin(folds, REFUSED_RATE, &peer, lengths, SHORT_MS));
	ck_assert(!folds_begin(folds, REFUSED_RATE, &peer, lengths, SHORT_MS));
	turn_until_written(1);
	ck_assert(!folds_begin(folds, REFUSED_RATE, &peer, lengths, SHORT_MS));
	turn_until_written(2);
	ck_assert_uint_eq(written.counted, 2);
}
END_TEST

START_TEST(a_window_that_nobody_came_in_is_the_last)
{
	struct address peer = address_of("10.0.0.1");
	unsigned first = 0;

	for (struct deadline deadline = deadline_in(DEADLINE_MS); first < 3;) {
		ck_assert_int_gt(deadline_left(&deadline), 0);
		first += folds_begin(folds, REFUSED_RATE, &peer, lengths, SHORT_MS);
		loop_turn(2 * SHORT_MS);
	}
	ck_assert_uint_eq(first, 3);
}
END_TEST

START_TEST(a_flood_from_everywhere_is_bounded)
{
	unsigned lines = 0;
	const unsigned all = 100000;

	for (uint32_t i = 0; i < all; i++) {
		struct address peer = numbered_address(0x0a000000 + i);

		lines += folds_begin(folds, REFUSED_RATE, &peer, lengths, LONG_MS);
	}
	ck_assert_uint_eq(lines, FOLDS_MAX + 1);
	ck_assert(!begin("10.0.0.1", REFUSED_RATE)); /* has a window of its own */
	end_all();
	ck_assert_uint_eq(written.calls, 2);
	ck_assert_uint_eq(written.counted, all - lines + 1);
}
END_TEST

Suite *folds_suite(void)
{
	Suite *suite = suite_create("folds");
	TCase *tests = tcase_create("folds");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_first_is_written_and_the_rest_counted);
	tcase_add_test(tests, a_single_refusal_has_no_count);
	tcase_add_loop_test(tests, a_window_is_of_one_source_and_reason, 0,
			    (int)(sizeof pairs / sizeof *pairs));
	tcase_add_test(tests, the_last_address_of_the_source_is_told);
	tcase_add_test(tests, an_unknown_address_is_a_source);
	tcase_add_test(tests, a_window_ends_by_itself_and_another_begins);
	tcase_add_test(tests, a_window_that_nobody_came_in_is_the_last);
	tcase_add_test(tests, a_flood_from_everywhere_is_bounded);
	suite_add_tcase(suite, tests);
	return suite;
}
