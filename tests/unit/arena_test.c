#include "base/arena.h"

#include <check.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

START_TEST(gives_zeroed_aligned_memory)
{
	static const unsigned char zeros[3000];
	struct arena arena = { 0 };

	for (size_t size = 0; size < sizeof zeros; size++) {
		unsigned char *memory = arena_take(&arena, size);

		ck_assert_ptr_nonnull(memory);
		ck_assert_uint_eq((uintptr_t)memory % alignof(max_align_t), 0);
		ck_assert_msg(memcmp(memory, zeros, size) == 0, "%zu bytes", size);
		memset(memory, 0xff, size);
	}
	ck_assert(!arena.failed);
	arena_free(&arena);
}
END_TEST

START_TEST(keeps_what_it_gave)
{
	struct arena arena = { 0 };
	char *texts[500], expected[64];

	for (int i = 0; i < 500; i++) {
		snprintf(expected, sizeof expected, "text number %d", i);
		texts[i] = arena_string(&arena, expected);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(expected, sizeof expected, "text number %d", i);
		ck_assert_str_eq(texts[i], expected);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(gives_large_pieces_between_small_ones)
{
	struct arena arena = { 0 };
	char *small = arena_string(&arena, "small"), *large = arena_take(&arena, 1000000);

	memset(large, 'x', 1000000);
	ck_assert_str_eq(arena_string(&arena, ""), "");
	ck_assert_str_eq(small, "small");
	arena_free(&arena);
}
END_TEST

START_TEST(can_be_used_again)
{
	struct arena arena = { 0 };

	arena_free(&arena);
	ck_assert_str_eq(arena_string(&arena, "text"), "text");
	arena_free(&arena);
	ck_assert_ptr_null(arena.blocks);
	ck_assert_str_eq(arena_string(&arena, "again"), "again");
	arena_free(&arena);
}
END_TEST

START_TEST(tells_that_it_failed)
{
	struct arena arena = { 0 };

	ck_assert_ptr_null(arena_take(&arena, SIZE_MAX));
	ck_assert(arena.failed);
	arena.failed = false;
	ck_assert_ptr_null(arena_take(&arena, SIZE_MAX - 64));
	ck_assert(arena.failed);
	ck_assert_str_eq(arena_string(&arena, "small"), "small");
	ck_assert(arena.failed);
	arena_free(&arena);
	ck_assert(!arena.failed);
}
END_TEST

Suite *arena_suite(void)
{
	Suite *suite = suite_create("arena");
	TCase *tests = tcase_create("arena");

	tcase_add_test(tests, gives_zeroed_aligned_memory);
	tcase_add_test(tests, keeps_what_it_gave);
	tcase_add_test(tests, gives_large_pieces_between_small_ones);
	tcase_add_test(tests, can_be_used_again);
	tcase_add_test(tests, tells_that_it_failed);
	suite_add_tcase(suite, tests);
	return suite;
}
