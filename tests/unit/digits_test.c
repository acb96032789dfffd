#include "base/digits.h"

#include <check.h>

static const struct {
	uint64_t number;
	const char *text;
} rows[] = {
	{ 0, "0" },
	{ 9, "9" },
	{ 10, "10" },
	{ 65535, "65535" },
	{ 1000000, "1000000" },
	{ UINT64_MAX, "18446744073709551615" },
};

START_TEST(numbers_are_written_with_their_end)
{
	char text[DIGITS_SIZE];
	char *end = digits_write(text, rows[_i].number);

	ck_assert_str_eq(text, rows[_i].text);
	ck_assert_ptr_eq(end, text + strlen(rows[_i].text));
}
END_TEST

Suite *digits_suite(void);

Suite *digits_suite(void)
{
	Suite *suite = suite_create("digits");
	TCase *numbers = tcase_create("numbers");

	tcase_add_loop_test(numbers, numbers_are_written_with_their_end, 0,
			    sizeof rows / sizeof rows[0]);
	suite_add_tcase(suite, numbers);
	return suite;
}
