#include "base/terminal_input.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(text) text, sizeof text - 1

static const struct row {
	const char *bytes;
	size_t length;
	const char *quoted;
	size_t quoted_length;
} rows[] = {
	{ TEXT(""), TEXT("") },
	{ TEXT("\n"), TEXT("\n") },
	{ TEXT("line\n"), TEXT("line\n") },
	{ TEXT("two\nlines\n"), TEXT("two\nlines\n") },
	{ TEXT("no line"), TEXT("no line\4") },
	{ TEXT("a\nb"), TEXT("a\nb\4") },
	{ TEXT("\4"), TEXT("\26\4\4") },
	{ TEXT("\26\26\n"), TEXT("\26\26\26\26\n") },
	{ TEXT("a\4\n\4b\n"), TEXT("a\26\4\n\26\4b\n") },
	{ TEXT("\0\3\177\377\r\21\n"), TEXT("\0\3\177\377\r\21\n") },
};

START_TEST(a_row)
{
	const struct row *row = &rows[_i];
	char quoted[TERMINAL_INPUT_SIZE(64)];
	size_t length = terminal_input_quote(row->bytes, row->length, quoted);

	ck_assert_uint_eq(length, row->quoted_length);
	ck_assert_mem_eq(quoted, row->quoted, length);
}
END_TEST

/* The longest run that a reader must wait for. */
static size_t longest_run(const char *quoted, size_t length)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < length; i++) {
		run = quoted[i] == TERMINAL_END || quoted[i] == '\n' ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

START_TEST(a_long_line_comes_in_pieces)
{
	static const struct {
		size_t length, ends;
	} lines[] = {
		{ TERMINAL_RUN_MAX - 1, 1 },
		{ TERMINAL_RUN_MAX, 1 },
		{ TERMINAL_RUN_MAX + 1, 2 },
		{ 10 * TERMINAL_RUN_MAX, 10 },
	};
	char *line = malloc(lines[_i].length),
	     *quoted = malloc(TERMINAL_INPUT_SIZE(lines[_i].length));

	memset(line, 'x', lines[_i].length);
	ck_assert_uint_eq(terminal_input_quote(line, lines[_i].length, quoted),
			  lines[_i].length + lines[_i].ends);
	ck_assert_uint_le(longest_run(quoted, lines[_i].length + lines[_i].ends), TERMINAL_RUN_MAX);
	free(line);
	free(quoted);
}
END_TEST

START_TEST(the_worst_fits)
{
	enum { LENGTH = 10 * TERMINAL_RUN_MAX + 1 };
	static char bytes[LENGTH], quoted[TERMINAL_INPUT_SIZE(LENGTH)];

	memset(bytes, TERMINAL_END, LENGTH);
	ck_assert_uint_eq(terminal_input_quote(bytes, LENGTH, quoted), sizeof quoted);
}
END_TEST

START_TEST(its_modes_are_known)
{
	struct termios modes = { 0 }, other;

	ck_assert(!terminal_input_is_quoted(&modes));
	terminal_input_set_modes(&modes);
	ck_assert(terminal_input_is_quoted(&modes));
	ck_assert(!(modes.c_lflag & (ECHO | ISIG)));
	ck_assert_int_eq(modes.c_cc[VERASE], 0);
	other = modes;
	other.c_lflag &= ~(tcflag_t)ICANON;
	ck_assert(!terminal_input_is_quoted(&other));
	other = modes;
	other.c_lflag &= ~(tcflag_t)IEXTEN;
	ck_assert(!terminal_input_is_quoted(&other));
	other = modes;
	other.c_cc[VEOF] = 5;
	ck_assert(!terminal_input_is_quoted(&other));
	other = modes;
	other.c_cc[VLNEXT] = 0;
	ck_assert(!terminal_input_is_quoted(&other));
}
END_TEST

Suite *terminal_input_suite(void)
{
	Suite *suite = suite_create("terminal_input");
	TCase *tcase = tcase_create("terminal_input");

	tcase_add_loop_test(tcase, a_row, 0, sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tcase, a_long_line_comes_in_pieces, 0, 4);
	tcase_add_test(tcase, the_worst_fits);
	tcase_add_test(tcase, its_modes_are_known);
	suite_add_tcase(suite, tcase);
	return suite;
}
