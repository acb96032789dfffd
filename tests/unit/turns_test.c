#include "base/turns.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 2000 };

/* A waiting job, named by a letter. */
struct guest {
	struct turn turn;
	char name;
};

static struct guest guests[MANY];
static struct turns *turns;
static size_t guest_count;

static void set_up(void)
{
	memset(guests, 0, sizeof guests);
	guest_count = 0;
	turns = NULL;
}

static void open_queue(size_t levels, const unsigned most[])
{
	turns = turns_new(levels, most);
	ck_assert_ptr_nonnull(turns);
}

static void tear_down(void)
{
	for (size_t i = 0; i < guest_count; i++)
		turns_leave(turns, &guests[i].turn);
	ck_assert_uint_eq(turns_waiting(turns), 0);
	ck_assert_uint_eq(turns_under_way(turns), 0);
	turns_free(turns);
}

static struct guest *join(char name, const struct turn_key keys[])
{
	struct guest *guest = &guests[guest_count++];

	guest->name = name;
	ck_assert_int_eq(turns_join(turns, &guest->turn, keys), 0);
	return guest;
}

/* A word for each: its group, its smaller group, its name. */
static void join_all(const char *words)
{
	for (const char *word = words; *word; word += strcspn(word, " "), word += strspn(word, " "))
		join(word[2], (struct turn_key[]){ turn_key_number((uint64_t)word[0]),
						   turn_key_number((uint64_t)word[1]) });
}

static struct guest *next(void)
{
	return (struct guest *)turns_next(turns);
}

/* The names in the order of their turns, until none is left. With `ends` each turn ends
 * at once, otherwise none does. */
static const char *serve(bool ends)
{
	static char served[MANY + 1];
	struct guest *guest;
	size_t count = 0;

	while ((guest = next())) {
		served[count++] = guest->name;
		if (ends)
			turns_leave(turns, &guest->turn);
	}
	served[count] = '\0';
	ck_assert(!turns_has_next(turns));
	return served;
}

static const unsigned without_bounds[] = { 0, 0, 0 };

static const struct {
	const char *words, *served;
} orders[] = {
	{ "", "" },
	{ "A1a A1b A1c", "abc" },      /* first come, first served */
	{ "A1a A1b A1c B1x", "axbc" }, /* groups take turns */
	{ "A1a A1b A1c B1x B1y C1p", "axpbyc" },
	{ "A1a A1b A1c A2x A2y", "axbyc" },      /* smaller groups, too */
	{ "A1a A1b A1c A2x B1p B1q", "apxqbc" }, /* both at once */
	{ "A1a A2b A3c A4d B1x", "axbcd" },      /* small groups share a large one's turn */
	{ "A1a B1b A1c B2d A2e", "abedc" },      /* a number belongs to its group */
};

START_TEST(groups_take_turns)
{
	open_queue(2, without_bounds);
	join_all(orders[_i].words);
	ck_assert_uint_eq(turns_waiting(turns), (strlen(orders[_i].words) + 1) / 4);
	ck_assert_str_eq(serve(_i % 2), orders[_i].served);
}
END_TEST

START_TEST(without_levels_who_came_first_is_first)
{
	open_queue(0, without_bounds);
	join_all("A1a B1b A2c");
	ck_assert_str_eq(serve(true), "abc");
}
END_TEST

/* Turns that are given while none ends. */
static const struct {
	unsigned most[3];
	const char *words, *served;
} bounds[] = {
	{ { 2, 0, 0 }, "A1a A1b A1c B1x", "ax" },
	{ { 0, 2, 0 }, "A1a A1b A1c B1x B1y B1z", "axby" },
	{ { 0, 2, 1 }, "A1a A1b A1c A2d A2e", "ad" },
	{ { 0, 0, 1 }, "A1a A1b A2c B1x", "axc" },
	{ { 3, 2, 0 }, "A1a A1b A1c B1x B1y", "axb" },
	{ { 8, 4, 3 }, "A1a A1b A1c A1d A1e A2f A2g B1x", "axfbg" },
};

START_TEST(a_group_has_no_more_than_its_share_under_way)
{
	open_queue(2, bounds[_i].most);
	join_all(bounds[_i].words);
	ck_assert_str_eq(serve(false), bounds[_i].served);
	ck_assert_uint_eq(turns_under_way(turns), strlen(bounds[_i].served));
	ck_assert_uint_eq(turns_under_way(turns) + turns_waiting(turns), guest_count);
}
END_TEST

START_TEST(a_turn_that_ends_makes_room_in_its_group)
{
	struct guest *first;

	open_queue(2, (const unsigned[]){ 0, 1, 0 });
	join_all("A1a A1b B1x B1y");
	first = next();
	ck_assert_int_eq(first->name, 'a');
	ck_assert_int_eq(next()->name, 'x');
	ck_assert(!turns_has_next(turns));
	turns_leave(turns, &first->turn);
	ck_assert(turns_has_next(turns));
	ck_assert_str_eq(serve(false), "b");
}
END_TEST

/* A group that comes back more often does not take another's turn. */
START_TEST(who_comes_back_comes_after_the_others)
{
	open_queue(2, without_bounds);
	join_all("A1a B1x B1y");
	for (int i = 0; i < 2; i++) {
		struct guest *guest = next();

		ck_assert_int_eq(guest->name, 'a');
		turns_leave(turns, &guest->turn);
		join_all("A1a");
		ck_assert_int_eq(next()->name, i == 0 ? 'x' : 'y');
	}
}
END_TEST

START_TEST(who_waits_may_leave)
{
	open_queue(2, without_bounds);
	join_all("A1a A1b A2c B1x B1y");
	turns_leave(turns, &guests[0].turn);
	turns_leave(turns, &guests[2].turn);
	turns_leave(turns, &guests[2].turn); /* harmless */
	turns_leave(turns, &guests[3].turn);
	ck_assert_uint_eq(turns_waiting(turns), 2);
	ck_assert_str_eq(serve(true), "by");
}
END_TEST

START_TEST(the_rest_of_a_group_may_leave_while_it_is_at_its_bound)
{
	open_queue(2, (const unsigned[]){ 0, 1, 1 });
	join_all("A1a A1b A1c");
	ck_assert_str_eq(serve(false), "a");
	turns_leave(turns, &guests[1].turn);
	turns_leave(turns, &guests[2].turn);
	turns_leave(turns, &guests[0].turn);
	ck_assert(!turns_has_next(turns));
	join_all("A1d");
	ck_assert_str_eq(serve(false), "d");
}
END_TEST

START_TEST(a_queue_may_go_with_those_in_it)
{
	open_queue(2, without_bounds);
	join_all("A1a A1b B1x");
	next();
	turns_free(turns);
	guest_count = 0;
	open_queue(2, without_bounds);
}
END_TEST

START_TEST(the_turns_a_group_was_given_are_counted)
{
	struct guest *last;

	open_queue(2, without_bounds);
	join_all("A1a A1b A2c B1x A1d");
	last = &guests[guest_count - 1];
	ck_assert_uint_eq(turns_given(turns, &last->turn, 1), 0);
	for (int i = 0; i < 4; i++)
		turns_leave(turns, &next()->turn);
	ck_assert_uint_eq(turns_given(turns, &last->turn, 1), 3); /* a, c, b */
	ck_assert_uint_eq(turns_given(turns, &last->turn, 2), 2); /* a, b */
}
END_TEST

/* Jobs that join a queue with room for eight, in this order. Capitals are refused. */
static const char *const crowds[] = {
	"A1a A1b A1c A1D A2e A2F B1g B1h C1i D1j E1K F1L",
	"A1a A2b A3c A4d A5E B1f B2g C1h D1i E1J",
	"A1a B1b C1c D1d E1e F1f G1g H1h I1I",
};

START_TEST(a_group_leaves_room_for_others)
{
	open_queue(2, without_bounds);
	turns_set_room(turns, 8);
	for (const char *word = crowds[_i]; *word;
	     word += strcspn(word, " "), word += strspn(word, " ")) {
		struct turn_key keys[] = { turn_key_number((uint64_t)word[0]),
					   turn_key_number((uint64_t)word[1]) };
		bool fits = word[2] >= 'a';

		errno = 0;
		ck_assert_msg((turns_join(turns, &guests[guest_count].turn, keys) == 0) == fits,
			      "%.3s in \"%s\"", word, crowds[_i]);
		ck_assert_int_eq(errno, fits ? 0 : EAGAIN);
		guest_count += fits;
	}
	ck_assert_uint_eq(turns_waiting(turns), guest_count);
}
END_TEST

START_TEST(who_is_under_way_takes_room_too)
{
	struct turn late = { .group = NULL };
	struct guest *first;

	open_queue(0, without_bounds);
	turns_set_room(turns, 2);
	join_all("A1a A1b");
	first = next();
	ck_assert_int_eq(turns_join(turns, &late, NULL), -1);
	turns_leave(turns, &first->turn);
	ck_assert_int_eq(turns_join(turns, &late, NULL), 0);
	turns_leave(turns, &late);
}
END_TEST

static unsigned number_below(unsigned end)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (state >> 8) % end;
}

/* The bounds hold, and no job waits that could run. */
static void check_bounds(const unsigned most[])
{
	unsigned of_group[4] = { 0 }, waits[4] = { 0 }, all = 0;

	for (size_t i = 0; i < guest_count; i++)
		if (guests[i].turn.group && !guests[i].turn.is_waiting)
			of_group[guests[i].name - 'A']++, all++;
		else if (guests[i].turn.group)
			waits[guests[i].name - 'A']++;
	ck_assert_uint_le(all, most[0]);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_le(of_group[i], most[1]);
		ck_assert(turns_has_next(turns) || all == most[0] || of_group[i] == most[1] ||
			  waits[i] == 0);
	}
}

START_TEST(bounds_hold_whatever_happens)
{
	static const unsigned most[] = { 6, 3, 0 };

	open_queue(2, most);
	while (guest_count < MANY) {
		char group = (char)('A' + number_below(4));

		join(group, (struct turn_key[]){ turn_key_number((uint64_t)group),
						 turn_key_number(number_below(3)) });
		if (number_below(2))
			next();
		if (number_below(3))
			turns_leave(turns, &guests[number_below((unsigned)guest_count)].turn);
		if (guest_count % 16 == 0)
			check_bounds(most);
	}
}
END_TEST

static struct turn_key source(const char *text)
{
	struct address address = { .length = 0 };

	if (*text)
		ck_assert_int_eq(address_parse(&address, text, 80), 0);
	return turn_key_source(&address, (struct source_prefix){ 24, 64 });
}

static const struct {
	const char *one, *other;
	bool same;
} sources[] = {
	{ "10.0.0.1", "10.0.0.2", true },
	{ "10.0.0.1", "10.0.1.1", false },
	{ "2001:db8::1", "2001:db8::2", true },
	{ "2001:db8::1", "2001:db8:0:1::1", false },
	{ "0.0.0.0", "::", false },
	{ "", "", true },
	{ "", "0.0.0.0", false },
	{ "::ffff:10.0.0.1", "10.0.0.9", true },
};

static const struct {
	size_t level;
	const char *words, *under_way;
} companies[] = {
	{ 1, "A1a A1b A1c", "abc" },    /* alone */
	{ 1, "A1a B2x A1b B2y", "ax" }, /* with other groups, one each */
	{ 1, "A1a A1b B2x C3p C3q", "axp" },
	{ 1, "A1a A2x A1b A2y", "ax" }, /* smaller groups, too */
	{ 1, "A1a A2b B3x B3y B4p", "ax" },
	{ 2, "A1a A1b A2x A2y", "ax" },
	{ 2, "A1a A1b B2x B2y", "ax" },            /* in different larger groups too ... */
	{ 2, "A1a A2b A3c B4x B5y B5z", "axbyc" }, /* ... which are not limited themselves */
};

START_TEST(in_company_a_group_has_less_under_way)
{
	open_queue(2, without_bounds);
	turns_set_most_in_company(turns, companies[_i].level, 1);
	join_all(companies[_i].words);
	ck_assert_str_eq(serve(false), companies[_i].under_way);
}
END_TEST

static void have_turn(char group)
{
	struct turn turn = { .group = NULL };

	ck_assert_int_eq(turns_join(turns, &turn, &(struct turn_key){ { (unsigned char)group } }),
			 0);
	ck_assert_ptr_eq(turns_next(turns), &turn);
	turns_leave(turns, &turn);
}

START_TEST(a_group_that_others_leave_alone_has_more_again)
{
	const struct turn_key group = { { 'A' } };

	open_queue(1, without_bounds);
	turns_set_most_in_company(turns, 1, 1);
	join('a', &group);
	ck_assert_int_eq(next()->name, 'a');
	have_turn('B');
	join('b', &group);
	ck_assert(!turns_has_next(turns));
	turns_leave(turns, &guests[0].turn);
	for (int i = 0; i <= TURNS_ALONE; i++) {
		ck_assert_int_eq(next()->name, 'b');
		turns_leave(turns, &guests[1].turn);
		ck_assert_int_eq(turns_join(turns, &guests[1].turn, &group), 0);
	}
	ck_assert_int_eq(next()->name, 'b');
	join('c', &group);
	ck_assert_int_eq(next()->name, 'c');
}
END_TEST

START_TEST(a_source_is_a_prefix)
{
	struct turn_key one = source(sources[_i].one), other = source(sources[_i].other);

	open_queue(0, without_bounds);
	ck_assert_int_eq(memcmp(&one, &other, sizeof one) == 0, sources[_i].same);
}
END_TEST

Suite *turns_suite(void);

Suite *turns_suite(void)
{
	Suite *suite = suite_create("turns");
	TCase *cases = tcase_create("turns");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_loop_test(cases, groups_take_turns, 0, sizeof orders / sizeof orders[0]);
	tcase_add_test(cases, without_levels_who_came_first_is_first);
	tcase_add_loop_test(cases, a_group_has_no_more_than_its_share_under_way, 0,
			    sizeof bounds / sizeof bounds[0]);
	tcase_add_test(cases, a_turn_that_ends_makes_room_in_its_group);
	tcase_add_test(cases, who_comes_back_comes_after_the_others);
	tcase_add_test(cases, who_waits_may_leave);
	tcase_add_test(cases, the_rest_of_a_group_may_leave_while_it_is_at_its_bound);
	tcase_add_test(cases, a_queue_may_go_with_those_in_it);
	tcase_add_test(cases, the_turns_a_group_was_given_are_counted);
	tcase_add_loop_test(cases, a_group_leaves_room_for_others, 0,
			    sizeof crowds / sizeof crowds[0]);
	tcase_add_test(cases, who_is_under_way_takes_room_too);
	tcase_add_loop_test(cases, in_company_a_group_has_less_under_way, 0,
			    sizeof companies / sizeof companies[0]);
	tcase_add_test(cases, a_group_that_others_leave_alone_has_more_again);
	tcase_add_test(cases, bounds_hold_whatever_happens);
	tcase_add_loop_test(cases, a_source_is_a_prefix, 0, sizeof sources / sizeof sources[0]);
	suite_add_tcase(suite, cases);
	return suite;
}
