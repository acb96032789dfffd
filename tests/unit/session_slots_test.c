#include "monitor/session_slots.h"

#include <check.h>
#include <stdlib.h>

enum { MANY = 1000 };

static unsigned take(struct session_slot *slot, const char *service)
{
	ck_assert_int_eq(session_slot_take(slot, service), 0);
	ck_assert_ptr_nonnull(slot->table);
	return slot->number;
}

START_TEST(gives_the_lowest_free_number)
{
	struct session_slot slots[4];

	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(take(&slots[i], "a"), i);
	session_slot_give_back(&slots[1]);
	ck_assert_uint_eq(take(&slots[1], "a"), 1);
	ck_assert_uint_eq(take(&slots[3], "a"), 3);
	session_slot_give_back(&slots[2]);
	session_slot_give_back(&slots[0]);
	ck_assert_uint_eq(take(&slots[0], "a"), 0);
	ck_assert_uint_eq(take(&slots[2], "a"), 2);
	for (int i = 0; i < 4; i++)
		session_slot_give_back(&slots[i]);
}
END_TEST

START_TEST(counts_each_service_apart)
{
	struct session_slot one, other;

	ck_assert_uint_eq(take(&one, "a"), 0);
	ck_assert_uint_eq(take(&other, "ab"), 0);
	session_slot_give_back(&one);
	ck_assert_uint_eq(take(&one, "ab"), 1);
	session_slot_give_back(&one);
	session_slot_give_back(&other);
}
END_TEST

START_TEST(none_can_be_given_back)
{
	struct session_slot slot = { NULL, 0 };

	session_slot_give_back(&slot);
	take(&slot, "a");
	session_slot_give_back(&slot);
	session_slot_give_back(&slot);
	ck_assert_uint_eq(take(&slot, "a"), 0);
	session_slot_give_back(&slot);
}
END_TEST

/* Against a plain search, with numbers taken and given back at random. */
START_TEST(stays_right_with_many)
{
	static struct session_slot slots[MANY]; /* by number */
	struct session_slot slot;
	unsigned lowest = 0, taken = 0;

	srand((unsigned)_i);
	for (int turn = 0; turn < 20 * MANY; turn++) {
		unsigned number = (unsigned)rand() % MANY;

		if (slots[number].table) {
			session_slot_give_back(&slots[number]);
			lowest = number < lowest ? number : lowest;
			taken--;
		} else if (taken < MANY) {
			ck_assert_uint_eq(take(&slot, "a"), lowest);
			slots[lowest] = slot;
			taken++;
			while (lowest < MANY && slots[lowest].table)
				lowest++;
		}
	}
	for (unsigned i = 0; i < MANY; i++)
		session_slot_give_back(&slots[i]);
	ck_assert_uint_eq(take(&slot, "a"), 0);
	session_slot_give_back(&slot);
}
END_TEST

Suite *session_slots_suite(void);

Suite *session_slots_suite(void)
{
	Suite *suite = suite_create("session_slots");
	TCase *tests = tcase_create("slots");

	tcase_add_test(tests, gives_the_lowest_free_number);
	tcase_add_test(tests, counts_each_service_apart);
	tcase_add_test(tests, none_can_be_given_back);
	tcase_add_loop_test(tests, stays_right_with_many, 0, 3);
	suite_add_tcase(suite, tests);
	return suite;
}
