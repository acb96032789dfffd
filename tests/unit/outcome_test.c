#include "monitor/outcome.h"

#include "base/loop.h"
#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *outcome_text(void)
{
	char *bytes = keep(calloc(1, 2 * OUTCOME_TEXT_MAX));
	int fd = outcome_open();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(pread(fd, bytes, 2 * OUTCOME_TEXT_MAX - 1, 0), 0);
	close(fd);
	return bytes;
}

static void add_problem(enum severity severity, const char *file, int line, const char *text)
{
	outcome_add_problem(&(struct problem){ .severity = severity,
					       .file = textf("%s", file),
					       .line = line,
					       .text = textf("%s", text) });
}

static void set_up(void)
{
	place_make();
	ck_assert_int_eq(loop_init(), 0);
	outcome_begin();
}

START_TEST(there_is_a_line_for_each_problem_and_change)
{
	ck_assert_str_eq(outcome_text(), "");
	add_problem(ERROR, "a.conf", 3, "wrong");
	add_problem(WARNING, "a.conf", 0, "odd");
	add_problem(ADVICE, "a.conf", 5, "better");
	outcome_add_change("new", "ftp");
	ck_assert_str_eq(outcome_text(),
			 "a.conf:3: error: wrong\na.conf: warning: odd\nnew: ftp\n");
	ck_assert_uint_eq(outcome_numbers()->errors, 1);
	ck_assert_int_gt(outcome_numbers()->time, 0);
	outcome_begin();
	ck_assert_str_eq(outcome_text(), "");
	ck_assert_uint_eq(outcome_numbers()->errors, 0);
}
END_TEST

START_TEST(the_text_is_bounded)
{
	const char *text;

	for (int i = 0; i < 20000; i++)
		outcome_add_change("new", "service");
	text = outcome_text();
	ck_assert_uint_le(strlen(text), OUTCOME_TEXT_MAX);
	ck_assert_uint_ge(strlen(text), OUTCOME_TEXT_MAX - 200);
	ck_assert(text_matches(text, "^new: service\nand [0-9]+ more lines\n$"));
	ck_assert_uint_eq(text_count(text, "^new: service$") +
				  (unsigned)atoi(strstr(text, "and ") + 4),
			  20000);
}
END_TEST

Suite *outcome_suite(void);

Suite *outcome_suite(void)
{
	Suite *suite = suite_create("outcome");
	TCase *tests = tcase_create("outcome");

	tcase_add_checked_fixture(tests, set_up, place_remove);
	tcase_add_test(tests, there_is_a_line_for_each_problem_and_change);
	tcase_add_test(tests, the_text_is_bounded);
	suite_add_tcase(suite, tests);
	return suite;
}
