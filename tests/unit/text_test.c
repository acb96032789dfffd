#include "base/text.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct text text;

static void set_up(void)
{
	text = (struct text){ 0 };
}

static void tear_down(void)
{
	text_free(&text);
	ck_assert_ptr_null(text.bytes);
}

/* Checks the text, and empties it. */
static void assert_copy(const char *expected)
{
	char *copy = text_copy_out(&text);

	ck_assert_str_eq(copy, expected);
	ck_assert_uint_eq(text.length, 0);
	free(copy);
}

START_TEST(pieces_follow_each_other)
{
	text_add(&text, "one");
	text_add_char(&text, ',');
	text_add_bytes(&text, "two, and more", 3);
	text_add_format(&text, "=%d", 7);
	assert_copy("one,two=7");
}
END_TEST

START_TEST(an_empty_text_is_an_empty_string)
{
	assert_copy("");
	text_add(&text, "");
	text_add_bytes(&text, NULL, 0);
	assert_copy("");
}
END_TEST

START_TEST(a_copy_leaves_room_for_the_next_text)
{
	text_add(&text, "first");
	assert_copy("first");
	text_add(&text, "next");
	assert_copy("next");
}
END_TEST

START_TEST(short_strings_are_padded)
{
	text_add_padded(&text, "ab", 4);
	text_add_padded(&text, "long", 2);
	assert_copy("ab  long");
}
END_TEST

START_TEST(it_grows_without_loss)
{
	enum { MANY = 100000 };

	for (int i = 0; i < MANY; i++)
		text_add_char(&text, (char)('a' + i % 26));
	ck_assert_uint_eq(text.length, MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(text.bytes[i], 'a' + i % 26);
}
END_TEST

START_TEST(what_cannot_be_added_fails_the_copy_and_only_that)
{
	char large[2048];

	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	text_add(&text, "before");
	text_add_format(&text, "%s", large);
	ck_assert(text.failed);
	ck_assert_ptr_null(text_copy_out(&text));
	text_add(&text, "after");
	assert_copy("after");
}
END_TEST

START_TEST(an_impossible_size_fails)
{
	text_add(&text, "x");
	ck_assert(!text_reserve(&text, SIZE_MAX));
	ck_assert(text.failed);
	ck_assert_mem_eq(text.bytes, "x", 1);
}
END_TEST

Suite *text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, pieces_follow_each_other);
	tcase_add_test(tcase, an_empty_text_is_an_empty_string);
	tcase_add_test(tcase, a_copy_leaves_room_for_the_next_text);
	tcase_add_test(tcase, short_strings_are_padded);
	tcase_add_test(tcase, it_grows_without_loss);
	tcase_add_test(tcase, what_cannot_be_added_fails_the_copy_and_only_that);
	tcase_add_test(tcase, an_impossible_size_fails);
	suite_add_tcase(suite, tcase);
	return suite;
}
