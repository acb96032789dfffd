#include "base/lower_case.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *text, *lower;
} rows[] = {
	{ "", "" },
	{ "FTP", "ftp" },
	{ "@AZ[`az{", "@az[`az{" },
	{ "Echo-Stream 7", "echo-stream 7" },
	{ "\xc3\x84rger", "\xc3\x84rger" },
};

START_TEST(letters_of_ascii_become_small)
{
	char text[32];

	strcpy(text, rows[_i].text);
	lower_case(text);
	ck_assert_str_eq(text, rows[_i].lower);
}
END_TEST

Suite *lower_case_suite(void);

Suite *lower_case_suite(void)
{
	Suite *suite = suite_create("lower_case");
	TCase *letters = tcase_create("letters");

	tcase_add_loop_test(letters, letters_of_ascii_become_small, 0,
			    sizeof rows / sizeof rows[0]);
	suite_add_tcase(suite, letters);
	return suite;
}
