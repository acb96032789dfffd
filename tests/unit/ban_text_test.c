#include "monitor/ban_text.h"

#include "admission/sensor_list.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1000000 };

static char told[4096];

static void tell_ban(const struct address *address, uint64_t left)
{
	char text[ADDRESS_TEXT_SIZE];
	size_t length = strlen(told);

	if (left == BAN_FOREVER)
		snprintf(told + length, sizeof told - length, "%s forever; ",
			 address_text(address, text));
	else
		snprintf(told + length, sizeof told - length, "%s %" PRIu64 "; ",
			 address_text(address, text), left);
}

static void tell_wrong(int line)
{
	size_t length = strlen(told);

	snprintf(told + length, sizeof told - length, "wrong %d; ", line);
}

static const struct ban_text_events events = { .ban = tell_ban, .wrong = tell_wrong };

static bool read(const char *text, int64_t now)
{
	told[0] = '\0';
	return ban_text_read(text, strlen(text), now, &events);
}

#define FIRST "usherd-bans 1 999000\n"

static const struct {
	const char *text, *told; /* NULL: not a ban file */
} texts[] = {
	{ "", "" },
	{ FIRST, "" },
	{ "usherd-bans 1 999000", "" },
	{ FIRST "192.0.2.1 1000001\n", "192.0.2.1 1000; " },
	{ FIRST "192.0.2.1 1000001", "192.0.2.1 1000; " },
	{ FIRST "192.0.2.1 1000000\n", "" },
	{ FIRST "192.0.2.1 5\n", "" },
	{ FIRST "192.0.2.1 forever\n2001:db8::1 1000060\n",
	  "192.0.2.1 forever; 2001:db8::1 60000; " },
	{ FIRST "::ffff:192.0.2.1 forever\n", "192.0.2.1 forever; " },
	{ FIRST "\n# a comment\n  192.0.2.1\tforever  \r\n", "192.0.2.1 forever; " },
	{ FIRST "192.0.2.1 forever # since Monday\n", "192.0.2.1 forever; " },
	{ FIRST "192.0.2.0/24 forever\n", "wrong 2; " },
	{ FIRST "192.0.2 forever\n192.0.2.1 forever\n", "wrong 2; 192.0.2.1 forever; " },
	{ FIRST "192.0.2.1\n", "wrong 2; " },
	{ FIRST "192.0.2.1 never\n", "wrong 2; " },
	{ FIRST "192.0.2.1 -1\n", "wrong 2; " },
	{ FIRST "192.0.2.1 1000001 x\n", "wrong 2; " },
	{ FIRST "192.0.2.1 1000000000000\n", "192.0.2.1 999999000000000; " },
	{ FIRST "192.0.2.1 1000000000001\n", "wrong 2; " },
	{ FIRST "192.0.2.1 99999999999999999999999\n", "wrong 2; " },
	{ FIRST "fe80::1%lo forever\n", "wrong 2; " },
	{ FIRST "host.example.org forever\n", "wrong 2; " },
	{ "192.0.2.1 forever\n", NULL },
	{ "root:x:0:0:root:/root:/bin/sh\n", NULL },
	{ "usherd-bans 2 999000\n", NULL },
	{ "usherd-bans 1\n", NULL },
	{ "usherd-bans 1 x\n", NULL },
	{ "usherd-bans 1 999000 x\n", NULL },
	{ "\n" FIRST, NULL },
};

START_TEST(reads_bans_and_tells_of_other_lines)
{
	ck_assert_int_eq(read(texts[_i].text, NOW), texts[_i].told != NULL);
	ck_assert_str_eq(told, texts[_i].told ? texts[_i].told : "");
}
END_TEST

/* Machines without a clock of their own begin in 1970. */
START_TEST(a_clock_that_stands_before_the_file_makes_no_ban_longer)
{
	ck_assert(read("usherd-bans 1 1000000\n192.0.2.1 1000060\n", 7));
	ck_assert_str_eq(told, "192.0.2.1 60000; ");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_no_bans)
{
	static const char text[] = FIRST "192.0\0.2.1 forever\n192.0.2.1 for\0ever\n";

	told[0] = '\0';
	ck_assert(ban_text_read(text, sizeof text - 1, NOW, &events));
	ck_assert_str_eq(told, "wrong 2; wrong 3; ");
}
END_TEST

static const struct {
	const char *address;
	uint64_t left;
	const char *line;
} lines[] = {
	{ "192.0.2.1", 60000, "192.0.2.1 1000060\n" },
	{ "192.0.2.1", 1, "192.0.2.1 1000001\n" },
	{ "192.0.2.1", 1001, "192.0.2.1 1000002\n" },
	{ "192.0.2.1", BAN_FOREVER, "192.0.2.1 forever\n" },
	{ "2001:db8::1", BAN_FOREVER, "2001:db8::1 forever\n" },
	{ "fe80::1%1", BAN_FOREVER, "fe80::1 forever\n" },
};

START_TEST(writes_what_it_reads)
{
	struct address address;
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	ck_assert_int_eq(address_parse(&address, lines[_i].address, 80), 0);
	ban_text_begin(out, NOW);
	ban_text_add(out, &address, lines[_i].left, NOW);
	fclose(out);
	ck_assert_str_eq(text + strcspn(text, "\n") + 1, lines[_i].line);
	ck_assert(read(text, NOW));
	ck_assert_ptr_null(strstr(told, "wrong"));
	ck_assert_str_ne(told, "");
	free(text);
}
END_TEST

/* What may be written can be read. */
START_TEST(the_longest_text_is_within_the_bound)
{
	static const char longest[] =
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255 1000000000000\n";

	ck_assert_uint_lt(SENSOR_LIST_MAX * (sizeof longest - 1) + 64, BAN_TEXT_MAX);
	ck_assert_uint_eq(BAN_FOREVER, SENSOR_FOREVER);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *ban_text_suite(void)
{
	Suite *suite = suite_create("ban_text");
	TCase *tests = tcase_create("ban text");

	tcase_add_loop_test(tests, reads_bans_and_tells_of_other_lines, 0, ROWS(texts));
	tcase_add_test(tests, a_clock_that_stands_before_the_file_makes_no_ban_longer);
	tcase_add_test(tests, bytes_that_are_no_text_are_no_bans);
	tcase_add_loop_test(tests, writes_what_it_reads, 0, ROWS(lines));
	tcase_add_test(tests, the_longest_text_is_within_the_bound);
	suite_add_tcase(suite, tests);
	return suite;
}
