#include "base/histogram.h"

#include <check.h>

static const uint32_t bounds[] = { 10, 100, 1000 };

static const struct {
	uint64_t ms;
	unsigned range;
} rows[] = {
	{ 0, 0 },   { 1, 0 },    { 10, 0 },   { 11, 1 },         { 100, 1 },
	{ 101, 2 }, { 1000, 2 }, { 1001, 3 }, { UINT32_MAX, 3 }, { 1ULL << 40, 3 },
};

START_TEST(each_time_is_in_its_range)
{
	struct histogram histogram = { .bounds_ms = bounds, .size = 3 };

	histogram_add(&histogram, rows[_i].ms);
	for (unsigned range = 0; range <= 3; range++)
		ck_assert_uint_eq(histogram.counts[range], range == rows[_i].range);
	ck_assert_uint_eq(histogram.sum_ms, rows[_i].ms);
	ck_assert_uint_eq(histogram_count(&histogram), 1);
}
END_TEST

START_TEST(times_add_up)
{
	struct histogram histogram = { .bounds_ms = bounds, .size = 3 };

	ck_assert_uint_eq(histogram_count(&histogram), 0);
	for (uint64_t ms = 0; ms < 2000; ms++)
		histogram_add(&histogram, ms);
	ck_assert_uint_eq(histogram_count(&histogram), 2000);
	ck_assert_uint_eq(histogram.counts[0], 11);
	ck_assert_uint_eq(histogram.counts[3], 999);
	ck_assert_uint_eq(histogram.sum_ms, 2000 * 1999 / 2);
}
END_TEST

Suite *histogram_suite(void);

Suite *histogram_suite(void)
{
	Suite *suite = suite_create("histogram");
	TCase *tests = tcase_create("histogram");

	tcase_add_loop_test(tests, each_time_is_in_its_range, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tests, times_add_up);
	suite_add_tcase(suite, tests);
	return suite;
}
