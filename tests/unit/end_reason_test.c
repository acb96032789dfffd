#include "session/end_reason.h"
#include "support/place.h"

#include <check.h>
#include <string.h>

START_TEST(each_reason_has_a_word_of_its_own)
{
	const char *text = end_reason_text((enum end_reason)_i);

	ck_assert(text_matches(text, "^[a-z_]+$"));
	for (int other = 0; other < _i; other++)
		ck_assert_str_ne(text, end_reason_text((enum end_reason)other));
}
END_TEST

START_TEST(knows_its_numbers)
{
	ck_assert(end_reason_is_known(END_BY_ITSELF));
	ck_assert(end_reason_is_known(END_REASONS - 1));
	ck_assert(!end_reason_is_known(END_REASONS));
	ck_assert(!end_reason_is_known(UINT8_MAX));
	ck_assert_str_eq(end_reason_text(END_REASONS), "unknown");
}
END_TEST

START_TEST(the_first_cause_counts)
{
	enum end_reason reason = END_BY_ITSELF;

	end_reason_note(&reason, END_BY_ITSELF);
	end_reason_note(&reason, END_RELOAD);
	end_reason_note(&reason, END_STOP);
	end_reason_note(&reason, END_BY_ITSELF);
	ck_assert_int_eq(reason, END_RELOAD);
}
END_TEST

Suite *end_reason_suite(void);

Suite *end_reason_suite(void)
{
	Suite *suite = suite_create("end_reason");
	TCase *reasons = tcase_create("reasons");

	tcase_add_checked_fixture(reasons, place_make, place_remove);
	tcase_add_loop_test(reasons, each_reason_has_a_word_of_its_own, 0, END_REASONS);
	tcase_add_test(reasons, knows_its_numbers);
	tcase_add_test(reasons, the_first_cause_counts);
	suite_add_tcase(suite, reasons);
	return suite;
}
