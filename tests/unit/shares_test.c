#include "base/shares.h"

#include <check.h>

enum { HOLDERS = 4 };

static struct shares shares;
static struct share holders[HOLDERS];

static void share_among(unsigned total, int count)
{
	shares = (struct shares){ 0 };
	shares_set_total(&shares, total);
	for (int i = 0; i < count; i++) {
		holders[i] = (struct share){ 0 };
		share_join(&shares, &holders[i]);
	}
}

/* Takes one at a time until it is refused. */
static unsigned take_all(struct share *share)
{
	unsigned taken = 0;

	while (share_take(&shares, share, 1))
		taken++;
	return taken;
}

START_TEST(one_holder_alone_may_have_nearly_all)
{
	share_among(1000, 1);
	ck_assert_uint_eq(take_all(&holders[0]), 1000 - SHARE_PART_MAX);
}
END_TEST

START_TEST(who_joins_later_finds_its_part)
{
	share_among(1000, 1);
	take_all(&holders[0]);
	share_join(&shares, &holders[1]);
	ck_assert_uint_eq(take_all(&holders[1]), SHARE_PART_MAX);
}
END_TEST

static const struct {
	unsigned total;
	int count;
	unsigned part, first, later;
} divided[] = {
	{ 1000, 2, 32, 936, 32 }, { 1000, 4, 32, 872, 32 }, { 100, 2, 16, 68, 16 },
	{ 100, 4, 10, 60, 10 },   { 6, 4, 1, 2, 1 },        { 5, 4, 1, 1, 1 },
};

START_TEST(whoever_comes_first_leaves_the_others_their_parts)
{
	share_among(divided[_i].total, divided[_i].count);
	ck_assert_uint_eq(shares_part(&shares), divided[_i].part);
	ck_assert_uint_eq(take_all(&holders[0]), divided[_i].first);
	for (int i = 1; i < divided[_i].count; i++)
		ck_assert_uint_eq(take_all(&holders[i]), divided[_i].later);
}
END_TEST

START_TEST(more_holders_than_there_is_to_hold_come_first_served)
{
	share_among(4, 4);
	ck_assert_uint_eq(shares_part(&shares), 0);
	ck_assert_uint_eq(take_all(&holders[2]), 4);
	ck_assert_uint_eq(take_all(&holders[0]), 0);
}
END_TEST

START_TEST(what_is_given_back_can_be_taken_by_others)
{
	share_among(100, 2);
	take_all(&holders[0]);
	take_all(&holders[1]);
	share_give_back(&shares, &holders[0], 10);
	ck_assert_uint_eq(take_all(&holders[1]), 10);
	ck_assert_uint_eq(holders[1].held, 26);
}
END_TEST

START_TEST(several_are_taken_at_once_or_not_at_all)
{
	share_among(100, 2);
	ck_assert(share_take(&shares, &holders[0], 67));
	ck_assert(!share_allows(&shares, &holders[0], 2));
	ck_assert(!share_take(&shares, &holders[0], 2));
	ck_assert_uint_eq(holders[0].held, 67);
	ck_assert(share_take(&shares, &holders[0], 1));
}
END_TEST

START_TEST(a_holder_joins_and_leaves_once_however_often_it_is_said)
{
	unsigned part;

	share_among(100, 2);
	part = shares_part(&shares);
	ck_assert(share_take(&shares, &holders[0], 1));
	share_join(&shares, &holders[0]);
	ck_assert_uint_eq(shares_part(&shares), part);
	ck_assert_uint_eq(holders[0].held, 1);
	share_leave(&shares, &holders[0]);
	share_leave(&shares, &holders[0]);
	ck_assert(!holders[0].has_joined);
	ck_assert_uint_eq(shares.held, 0);
	share_join(&shares, &holders[0]);
	ck_assert_uint_eq(shares_part(&shares), part);
}
END_TEST

START_TEST(a_holder_that_leaves_gives_everything_back)
{
	share_among(100, 2);
	take_all(&holders[0]);
	share_leave(&shares, &holders[0]);
	ck_assert_uint_eq(shares.held, 0);
	ck_assert_uint_eq(take_all(&holders[1]), 75);
}
END_TEST

START_TEST(when_the_total_shrinks_nobody_may_take_until_enough_is_back)
{
	share_among(100, 2);
	ck_assert(share_take(&shares, &holders[0], 60));
	shares_set_total(&shares, 50);
	ck_assert(!share_allows(&shares, &holders[1], 1));
	share_give_back(&shares, &holders[0], 20);
	ck_assert_uint_eq(take_all(&holders[1]), 8);
}
END_TEST

Suite *shares_suite(void)
{
	Suite *suite = suite_create("shares");
	TCase *shares_case = tcase_create("shares");

	tcase_add_test(shares_case, one_holder_alone_may_have_nearly_all);
	tcase_add_test(shares_case, who_joins_later_finds_its_part);
	tcase_add_loop_test(shares_case, whoever_comes_first_leaves_the_others_their_parts, 0,
			    sizeof divided / sizeof divided[0]);
	tcase_add_test(shares_case, more_holders_than_there_is_to_hold_come_first_served);
	tcase_add_test(shares_case, what_is_given_back_can_be_taken_by_others);
	tcase_add_test(shares_case, several_are_taken_at_once_or_not_at_all);
	tcase_add_test(shares_case, a_holder_that_leaves_gives_everything_back);
	tcase_add_test(shares_case, a_holder_joins_and_leaves_once_however_often_it_is_said);
	tcase_add_test(shares_case, when_the_total_shrinks_nobody_may_take_until_enough_is_back);
	suite_add_tcase(suite, shares_case);
	return suite;
}
