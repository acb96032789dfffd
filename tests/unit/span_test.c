#include "base/span.h"

#include <check.h>
#include <string.h>

static struct span span_of(const char *text)
{
	return (struct span){ text, text + strlen(text) };
}

static void assert_is(struct span span, const char *text, int row)
{
	ck_assert_msg(span_length(span) == strlen(text) &&
			      memcmp(span.start, text, strlen(text)) == 0,
		      "row %d: \"%.*s\", not \"%s\"", row, (int)span_length(span), span.start,
		      text);
}

static const struct {
	const char *text, *marks, *part, *rest;
} cuts[] = {
	{ "a:b", ":", "a", "b" },      { "a:b:c", ":", "a", "b:c" }, { "ab", ":", "ab", "" },
	{ "", ":", "", "" },           { ":", ":", "", "" },         { "a:", ":", "a", "" },
	{ "a.b:c", ":.", "a", "b:c" }, { "a", "", "a", "" },
};

START_TEST(cuts_at_marks)
{
	struct span rest = span_of(cuts[_i].text), part = span_take_until(&rest, cuts[_i].marks);

	assert_is(part, cuts[_i].part, _i);
	assert_is(rest, cuts[_i].rest, _i);
}
END_TEST

START_TEST(a_nul_byte_is_no_mark)
{
	static const char text[] = "a\0b:c";
	struct span rest = { text, text + sizeof text - 1 };

	ck_assert_uint_eq(span_length(span_take_until(&rest, ":")), 3);
	assert_is(rest, "c", 0);
}
END_TEST

static const struct {
	const char *text;
	uint64_t most;
	bool is_number;
	uint64_t number;
} numbers[] = {
	{ "0", 0, true, 0 },
	{ "0012", 12, true, 12 },
	{ "12", 11, false, 0 },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "99999999999999999999999999", UINT64_MAX, false, 0 },
	{ "", 9, false, 0 },
	{ "-1", 9, false, 0 },
	{ "+1", 9, false, 0 },
	{ " 1", 9, false, 0 },
	{ "1x", 99, false, 0 },
	{ "0x1", 99, false, 0 },
};

START_TEST(reads_numbers)
{
	uint64_t number;
	bool is_number = span_number(span_of(numbers[_i].text), numbers[_i].most, &number);

	ck_assert_msg(is_number == numbers[_i].is_number, "%s", numbers[_i].text);
	ck_assert_msg(!is_number || number == numbers[_i].number, "%s", numbers[_i].text);
}
END_TEST

START_TEST(takes_words)
{
	struct span rest = span_of(" \t one\r\ttwo\v\f ");

	assert_is(span_take_word(&rest), "one", 1);
	assert_is(span_take_word(&rest), "two", 2);
	assert_is(span_take_word(&rest), "", 3);
	ck_assert(span_is_empty(rest));
}
END_TEST

START_TEST(compares_in_any_case)
{
	ck_assert(span_is(span_of("Word"), "wORD"));
	ck_assert(!span_is(span_of("Word"), "words"));
	ck_assert(!span_is(span_of("Words"), "word"));
	ck_assert(span_is(span_of(""), ""));
}
END_TEST

START_TEST(reads_lines)
{
	static const char text[] = "\xef\xbb\xbf one \n\n\ttwo\r\n three";
	struct lines lines;
	struct span line;

	lines_begin(&lines, text, sizeof text - 1);
	ck_assert(lines_next(&lines, &line));
	assert_is(line, "one", 1);
	ck_assert(lines_next(&lines, &line));
	assert_is(line, "", 2);
	ck_assert(lines_next(&lines, &line));
	assert_is(line, "two", 3);
	ck_assert(line.start > lines.start);
	ck_assert_int_eq(lines.number, 3);
	ck_assert(lines_next(&lines, &line));
	assert_is(line, "three", 4);
	ck_assert(!lines_next(&lines, &line));
	ck_assert_int_eq(lines.number, 4);
	lines_begin(&lines, "", 0);
	ck_assert(!lines_next(&lines, &line));
}
END_TEST

Suite *span_suite(void)
{
	Suite *suite = suite_create("span");
	TCase *tests = tcase_create("span");

	tcase_add_loop_test(tests, cuts_at_marks, 0, (int)(sizeof cuts / sizeof cuts[0]));
	tcase_add_test(tests, a_nul_byte_is_no_mark);
	tcase_add_loop_test(tests, reads_numbers, 0, (int)(sizeof numbers / sizeof numbers[0]));
	tcase_add_test(tests, takes_words);
	tcase_add_test(tests, compares_in_any_case);
	tcase_add_test(tests, reads_lines);
	suite_add_tcase(suite, tests);
	return suite;
}
