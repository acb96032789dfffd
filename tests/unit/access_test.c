#include "admission/access.h"

#include <check.h>
#include <stdlib.h>

static struct service_settings *settings;
static struct sensor_list *bans;
static struct address peer;

static const char *const no_names[] = { NULL }, *const good[] = { "good.example", NULL };

static void set_up(void)
{
	settings = service_settings_new();
	bans = sensor_list_new();
	ck_assert(settings && bans);
	settings->socket_type = SOCK_STREAM;
	ck_assert_int_eq(address_parse(&peer, "10.1.2.3", 0), 0);
}

static void tear_down(void)
{
	access_list_clear(&settings->admission->only_from);
	access_list_clear(&settings->admission->no_access);
	service_settings_release(settings);
	sensor_list_free(bans);
}

static void add(struct access_list *list, const char *word)
{
	if (word)
		ck_assert_int_eq(access_list_add(list, word, NULL, 0, NULL), WORD_ADDED);
}

/* --- addresses ------------------------------------------------------------------------ */

static const struct {
	const char *only_from, *no_access;
	const char *const *names;
	struct judgement judgement;
} rows[] = {
	{ NULL, NULL, NULL, { .verdict = ADMITTED } },
	{ "10.1.0.0/16", NULL, NULL, { .verdict = ADMITTED } },
	{ "10.2.0.0/16", NULL, NULL, { .verdict = REFUSED_ADDRESS } },
	{ NULL, "10.1.2.3", NULL, { .verdict = REFUSED_ADDRESS } },
	{ "10.1.2.3", "10.1.0.0/16", NULL, { .verdict = ADMITTED } },
	{ "10.1.2.3", "10.1.2.3", NULL, { .verdict = REFUSED_ADDRESS, .is_tie = true } },
	{ "good.example", NULL, NULL, { .verdict = REFUSED_ADDRESS, .needs_names = true } },
	{ "good.example", NULL, no_names, { .verdict = REFUSED_ADDRESS } },
	{ "good.example", NULL, good, { .verdict = ADMITTED } },
	{ NULL, ".example", NULL, { .verdict = REFUSED_ADDRESS, .needs_names = true } },
	{ NULL, ".example", good, { .verdict = REFUSED_ADDRESS } },
};

static void expect(struct judgement wanted, const char *const *names, uint64_t now)
{
	struct judgement said = access_address(settings, bans, &peer, names, now);

	ck_assert_int_eq(said.verdict, wanted.verdict);
	ck_assert_int_eq(said.needs_names, wanted.needs_names);
	ck_assert_int_eq(said.is_tie, wanted.is_tie);
	ck_assert_uint_eq(said.pause_ms, 0);
}

START_TEST(the_lists_decide)
{
	add(&settings->admission->only_from, rows[_i].only_from);
	add(&settings->admission->no_access, rows[_i].no_access);
	expect(rows[_i].judgement, rows[_i].names, 0);
}
END_TEST

START_TEST(a_ban_comes_first_and_ends)
{
	add(&settings->admission->only_from, "10.1.2.3");
	ck_assert(sensor_list_ban(bans, &peer, 1000, 2000));
	expect((struct judgement){ .verdict = REFUSED_BANNED }, NULL, 1000);
	expect((struct judgement){ .verdict = REFUSED_BANNED }, NULL, 1999);
	expect((struct judgement){ .verdict = ADMITTED }, NULL, 2000);
}
END_TEST

START_TEST(without_a_list_nobody_is_banned)
{
	ck_assert_int_eq(access_address(settings, NULL, &peer, NULL, 0).verdict, ADMITTED);
}
END_TEST

/* The kernel's filter has checked the names. */
START_TEST(an_intercepted_datagram_needs_no_names)
{
	settings->flags |= FLAG_INTERCEPT;
	settings->socket_type = SOCK_DGRAM;
	add(&settings->admission->only_from, "good.example");
	expect((struct judgement){ .verdict = ADMITTED }, NULL, 0);
	settings->socket_type = SOCK_STREAM;
	expect((struct judgement){ .verdict = REFUSED_ADDRESS, .needs_names = true }, NULL, 0);
}
END_TEST

/* --- time and load -------------------------------------------------------------------- */

START_TEST(the_time_of_the_day_decides)
{
	struct access_interval office = { 8 * 60, 17 * 60 };

	ck_assert_int_eq(access_time(settings, 0), ADMITTED);
	settings->admission->access_times = &office;
	settings->admission->access_times_count = 1;
	ck_assert_int_eq(access_time(settings, 8 * 60 - 1), REFUSED_TIME);
	ck_assert_int_eq(access_time(settings, 8 * 60), ADMITTED);
	ck_assert_int_eq(access_time(settings, 17 * 60), ADMITTED);
	ck_assert_int_eq(access_time(settings, 17 * 60 + 1), REFUSED_TIME);
	settings->admission->access_times_count = 0;
}
END_TEST

START_TEST(the_load_decides)
{
	double load;

	ck_assert_int_eq(getloadavg(&load, 1), 1);
	settings->admission->max_load = load + 1000;
	ck_assert_int_eq(access_load(settings), ADMITTED);
	settings->admission->max_load = 0;
	ck_assert_int_eq(access_load(settings), ADMITTED);
	settings->admission->max_load = load / 1000;
	ck_assert_int_eq(access_load(settings), load > 0 ? REFUSED_LOAD : ADMITTED);
}
END_TEST

Suite *access_suite(void)
{
	Suite *suite = suite_create("access");
	TCase *address = tcase_create("address"), *others = tcase_create("time and load");

	tcase_add_checked_fixture(address, set_up, tear_down);
	tcase_add_loop_test(address, the_lists_decide, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(address, a_ban_comes_first_and_ends);
	tcase_add_test(address, without_a_list_nobody_is_banned);
	tcase_add_test(address, an_intercepted_datagram_needs_no_names);
	suite_add_tcase(suite, address);
	tcase_add_checked_fixture(others, set_up, tear_down);
	tcase_add_test(others, the_time_of_the_day_decides);
	tcase_add_test(others, the_load_decides);
	suite_add_tcase(suite, others);
	return suite;
}
