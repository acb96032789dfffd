#include "base/id_map.h"

#include <check.h>
#include <stdint.h>

#define WHOLE "         0          0 4294967295\n"
#define ROOT "         0       1000          1\n"
#define PODMAN ROOT "         1     100000      65536\n"

static const struct {
	const char *text;
	id_t id;
	bool is_there;
} numbers[] = {
	{ WHOLE, 0, true },
	{ WHOLE, 65519, true },
	{ WHOLE, UINT32_MAX, false },
	{ ROOT, 0, true },
	{ ROOT, 1, false },
	{ ROOT, 1000, false },
	{ PODMAN, 65519, true },
	{ PODMAN, 65536, true },
	{ PODMAN, 65537, false },
	{ "5 1 1\n7 2 1\n", 5, true },
	{ "5 1 1\n7 2 1\n", 6, false },
	{ "5 1 1\n7 2 1\n", 7, true },
	{ "5 1 1\n7 2 1\n", 4, false },
	{ "", 0, false },
	{ "nothing", 0, false },
	{ "0 0\n", 0, false },
};

START_TEST(knows_the_numbers_of_a_map)
{
	ck_assert(id_map_has(numbers[_i].text, numbers[_i].id) == numbers[_i].is_there);
}
END_TEST

START_TEST(allows_no_number_that_is_none)
{
	ck_assert(!id_map_allows(UINT32_MAX, 0));
	ck_assert(!id_map_allows(0, UINT32_MAX));
}
END_TEST

Suite *id_map_suite(void);

Suite *id_map_suite(void)
{
	Suite *suite = suite_create("id_map");
	TCase *tests = tcase_create("id_map");

	tcase_add_loop_test(tests, knows_the_numbers_of_a_map, 0,
			    sizeof numbers / sizeof numbers[0]);
	tcase_add_test(tests, allows_no_number_that_is_none);
	suite_add_tcase(suite, tests);
	return suite;
}
