#include "monitor/bans.h"

#include "admission/sensor_list.h"
#include "base/clock.h"
#include "base/loop.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

/* What bans_each tells: the addresses, and the last end. */
static char told[512];
static unsigned count;
static uint64_t last_until;

static void take(const struct address *address, uint64_t until, void *context)
{
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_ptr_eq(context, &count);
	if (count++ < 8) {
		strcat(told, address_text(address, text));
		strcat(told, " ");
	}
	last_until = until;
}

static const char *list(void)
{
	told[0] = '\0';
	count = 0;
	bans_each(take, &count);
	return told;
}

static void ban(const char *text, uint64_t until)
{
	struct address address;

	ck_assert_int_eq(address_parse(&address, text, 4000), 0);
	bans_add(&address, until);
}

static void setup(void)
{
	ck_assert_int_eq(loop_init(), 0);
}

START_TEST(there_are_none_at_first)
{
	ck_assert_str_eq(list(), "");
}
END_TEST

static const struct {
	const char *address;
	int64_t until; /* from now; INT64_MAX: for ever */
	bool is_told;
} cases[] = {
	{ "192.0.2.1", INT64_MAX, true }, { "192.0.2.1", 60000, true },
	{ "192.0.2.1", 1, true },         { "192.0.2.1", 0, false },
	{ "192.0.2.1", -1000, false },    { "2001:db8::1", 60000, true },
	{ "::1", INT64_MAX, true },       { "127.0.0.1", 60000, true },
};

START_TEST(are_told_until_they_are_over)
{
	uint64_t until = cases[_i].until == INT64_MAX ? SENSOR_FOREVER
						      : clock_now() + (uint64_t)cases[_i].until;

	ban(cases[_i].address, until);
	list();
	ck_assert_uint_eq(count, cases[_i].is_told);
	if (cases[_i].is_told)
		ck_assert_uint_eq(last_until, until);
}
END_TEST

START_TEST(of_one_address_are_one)
{
	ban("192.0.2.1", clock_now() + 1000);
	ban("192.0.2.1", clock_now() + 60000);
	ck_assert_str_eq(list(), "192.0.2.1 ");
	ck_assert_uint_eq(last_until, clock_now() + 60000);
}
END_TEST

/* However many a frontend asks for. */
START_TEST(are_so_many_and_no_more)
{
	struct address address;

	ck_assert_int_eq(address_parse(&address, "10.0.0.0", 0), 0);
	for (uint32_t i = 0; i < SENSOR_LIST_MAX + 1000; i++) {
		address.in4.sin_addr.s_addr = htonl(0x0a000000 + i);
		bans_add(&address, SENSOR_FOREVER);
	}
	list();
	ck_assert_uint_eq(count, SENSOR_LIST_MAX);
}
END_TEST

Suite *bans_suite(void)
{
	Suite *suite = suite_create("bans");
	TCase *tests = tcase_create("bans");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, there_are_none_at_first);
	tcase_add_loop_test(tests, are_told_until_they_are_over, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tests, of_one_address_are_one);
	tcase_add_test(tests, are_so_many_and_no_more);
	suite_add_tcase(suite, tests);
	return suite;
}
