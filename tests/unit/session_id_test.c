#include "base/session_id.h"

#include <check.h>
#include <string.h>

static const struct {
	struct session_id id;
	const char *text;
} ids[] = {
	{ { 0, 0 }, "" },
	{ { 0, 7 }, "" },
	{ { 1, 1 }, "1-1" },
	{ { 0x6294a1b3c2d4e, 0x1f }, "6294a1b3c2d4e-1f" },
	{ { UINT64_MAX, UINT64_MAX }, "ffffffffffffffff-ffffffffffffffff" },
};

START_TEST(is_written_in_hexadecimal)
{
	char text[SESSION_ID_SIZE];

	ck_assert_str_eq(session_id_text(ids[_i].id, text), ids[_i].text);
}
END_TEST

START_TEST(no_two_are_equal)
{
	struct session_id one = session_id_new(), other = session_id_new();

	ck_assert(one.run != 0);
	ck_assert_uint_eq(one.run, other.run);
	ck_assert_uint_eq(one.number + 1, other.number);
}
END_TEST

Suite *session_id_suite(void);

Suite *session_id_suite(void)
{
	Suite *suite = suite_create("session_id");
	TCase *tests = tcase_create("ids");

	tcase_add_loop_test(tests, is_written_in_hexadecimal, 0, sizeof ids / sizeof ids[0]);
	tcase_add_test(tests, no_two_are_equal);
	suite_add_tcase(suite, tests);
	return suite;
}
