#include "base/json.h"

#include <check.h>
#include <stdlib.h>

static const struct {
	const char *string, *json;
} rows[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\\u007f\"" },
	{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
	{ "\xc3", "\"\\ufffd\"" },                       /* an end that is missing */
	{ "\xc0\x80", "\"\\ufffd\\ufffd\"" },            /* a longer form than needed */
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* half of a pair */
	{ "\xff", "\"\\ufffd\"" },
};

START_TEST(strings_are_utf8_and_escaped)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	json_string(out, rows[_i].string);
	fclose(out);
	ck_assert_str_eq(text, rows[_i].json);
	free(text);
}
END_TEST

Suite *json_suite(void);

Suite *json_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("json");

	tcase_add_loop_test(tests, strings_are_utf8_and_escaped, 0, sizeof rows / sizeof rows[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
