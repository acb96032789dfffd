#include "config/problem.h"

#include <check.h>
#include <errno.h>

START_TEST(keeps_what_it_is_told)
{
	struct problems problems = { 0 };

	problem_add(&problems, WARNING, "a.conf", 12, "%s is %d", "wait", 3);
	problem_add(&problems, ERROR, NULL, 0, "nothing");
	ck_assert_uint_eq(problems.count, 2);
	ck_assert_uint_eq(problems.errors, 1);
	ck_assert_int_eq(problems.list[0].severity, WARNING);
	ck_assert_str_eq(problems.list[0].file, "a.conf");
	ck_assert_int_eq(problems.list[0].line, 12);
	ck_assert_str_eq(problems.list[0].text, "wait is 3");
	ck_assert_int_eq(problems.list[1].severity, ERROR);
	ck_assert_ptr_null(problems.list[1].file);
	ck_assert_str_eq(problems.list[1].text, "nothing");
	problems_clear(&problems);
}
END_TEST

START_TEST(copies_the_file_name)
{
	struct problems problems = { 0 };
	char name[] = "first";

	problem_add(&problems, ADVICE, name, 1, "text");
	name[0] = 'F';
	ck_assert_str_eq(problems.list[0].file, "first");
	problems_clear(&problems);
}
END_TEST

START_TEST(disarms_control_bytes)
{
	struct problems problems = { 0 };

	problem_add(&problems, ERROR, "f", 1, "a%sb", "\x1b[31m\n\t\x7f\xc3\xa9");
	ck_assert_str_eq(problems.list[0].text, "a?[31m???\xc3\xa9"
						"b");
	problems_clear(&problems);
}
END_TEST

START_TEST(counts_what_it_can_not_keep)
{
	struct problems problems = { 0 };

	for (int i = 0; i < PROBLEMS_KEPT + 3; i++)
		problem_add(&problems, i < PROBLEMS_KEPT ? ADVICE : ERROR, "f", i, "number %d", i);
	ck_assert_uint_eq(problems.count, PROBLEMS_KEPT);
	ck_assert_uint_eq(problems.omitted, 3);
	ck_assert_uint_eq(problems.errors, 3);
	ck_assert_str_eq(problems.list[PROBLEMS_KEPT - 1].text, "number 9999");
	problems_clear(&problems);
}
END_TEST

START_TEST(preserves_errno)
{
	struct problems problems = { 0 };

	errno = EXDEV;
	problem_add(&problems, ERROR, "f", 1, "%m");
	ck_assert_int_eq(errno, EXDEV);
	problems_clear(&problems);
}
END_TEST

START_TEST(is_empty_after_clear)
{
	struct problems problems = { 0 };

	problem_add(&problems, ERROR, "f", 1, "one");
	problems_clear(&problems);
	ck_assert_uint_eq(problems.count, 0);
	ck_assert_uint_eq(problems.errors, 0);
	ck_assert_ptr_null(problems.list);
	problem_add(&problems, ERROR, "f", 1, "two");
	ck_assert_str_eq(problems.list[0].text, "two");
	problems_clear(&problems);
}
END_TEST

START_TEST(names_severities)
{
	ck_assert_str_eq(severity_name(ADVICE), "advice");
	ck_assert_str_eq(severity_name(WARNING), "warning");
	ck_assert_str_eq(severity_name(ERROR), "error");
}
END_TEST

Suite *problem_suite(void)
{
	Suite *suite = suite_create("problem");
	TCase *list = tcase_create("list");

	tcase_add_test(list, keeps_what_it_is_told);
	tcase_add_test(list, copies_the_file_name);
	tcase_add_test(list, disarms_control_bytes);
	tcase_add_test(list, counts_what_it_can_not_keep);
	tcase_add_test(list, preserves_errno);
	tcase_add_test(list, is_empty_after_clear);
	tcase_add_test(list, names_severities);
	suite_add_tcase(suite, list);
	return suite;
}
