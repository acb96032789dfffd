#include "base/own_name.h"

#include <check.h>

START_TEST(it_is_usherd_at_first)
{
	ck_assert_str_eq(own_name(), "usherd");
}
END_TEST

static const struct {
	const char *argv0, *name;
} starts[] = {
	{ "/usr/sbin/xinetd", "xinetd" },
	{ "xinetd", "xinetd" },
	{ "./build/usherd", "usherd" },
	{ "a b]:\n\x7f", "a_b____" },
	{ "0123456789012345678901234567890123456789", "01234567890123456789012345678901" },
	{ "/usr/sbin/", "usherd" },
	{ "", "usherd" },
	{ NULL, "usherd" },
};

START_TEST(it_is_taken_from_argv)
{
	own_name_take(starts[_i].argv0);
	ck_assert_str_eq(own_name(), starts[_i].name);
}
END_TEST

START_TEST(the_tag_may_be_another_one)
{
	own_name_take("xinetd");
	ck_assert_str_eq(own_tag(), "xinetd");
	own_tag_take("a b]:/c");
	ck_assert_str_eq(own_tag(), "a_b__/c");
	ck_assert_str_eq(own_name(), "xinetd");
	own_tag_take("0123456789012345678901234567890123456789");
	ck_assert_str_eq(own_tag(), "01234567890123456789012345678901");
	own_tag_take("");
	ck_assert_str_eq(own_tag(), "xinetd");
}
END_TEST

Suite *own_name_suite(void)
{
	Suite *suite = suite_create("own_name");
	TCase *tests = tcase_create("own_name");

	tcase_add_test(tests, it_is_usherd_at_first);
	tcase_add_loop_test(tests, it_is_taken_from_argv, 0, sizeof starts / sizeof starts[0]);
	tcase_add_test(tests, the_tag_may_be_another_one);
	suite_add_tcase(suite, tests);
	return suite;
}
