#include "admission/quota.h"

#include <check.h>

static struct service_settings *settings;
static struct quota quota;

static void set_up(void)
{
	settings = service_settings_new();
	ck_assert_ptr_nonnull(settings);
	settings->admission->cps = (struct rate){ 0 };
	quota = (struct quota){ 0 };
}

static void tear_down(void)
{
	quota_clear(&quota);
	service_settings_release(settings);
}

static struct address peer(unsigned number)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(number) };

	return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
}

/* --- pending ------------------------------------------------------------------------- */

static enum verdict may_pend(unsigned number)
{
	struct address address = peer(number);

	return quota_judge_pending(&quota, settings, &address);
}

/* Returns how many sessions of the source may be pending. */
static unsigned pend_all(unsigned number)
{
	struct address address = peer(number);
	unsigned count = 0;

	while (may_pend(number) == ADMITTED && count <= PENDING_MAX) {
		ck_assert_ptr_nonnull(quota_pend(&quota, settings, &address));
		count++;
	}
	ck_assert_int_eq(may_pend(number), REFUSED_PENDING);
	return count;
}

START_TEST(the_pending_of_a_source_are_counted)
{
	struct address one = peer(1), other = peer(2);
	struct source *source;

	ck_assert_uint_eq(quota_pending_of(&quota, settings, &one), 0);
	source = quota_pend(&quota, settings, &one);
	(void)quota_pend(&quota, settings, &one);
	ck_assert_uint_eq(quota_pending_of(&quota, settings, &one), 2);
	ck_assert_uint_eq(quota_pending_of(&quota, settings, &other), 0);
	quota_pend_end(&quota, source);
	ck_assert_uint_eq(quota_pending_of(&quota, settings, &one), 1);
}
END_TEST

/* A balancer is no source: what it brings is counted, and then belongs to its clients. */
START_TEST(a_balancer_has_all_of_the_room)
{
	struct address client = peer(1), other = peer(2);
	struct source *source;

	for (unsigned i = 0; i < PENDING_MAX; i++) {
		ck_assert_int_eq(quota_judge_pending(&quota, settings, NULL), ADMITTED);
		ck_assert_ptr_null(quota_pend(&quota, settings, NULL));
	}
	ck_assert_int_eq(quota_judge_pending(&quota, settings, NULL), REFUSED_PENDING);
	ck_assert_int_eq(quota_pend_source(&quota, settings, &client, &source), ADMITTED);
	ck_assert_ptr_nonnull(source);
	ck_assert_int_eq(quota_pend_source(&quota, settings, &client, &source), REFUSED_PENDING);
	ck_assert_ptr_null(source);
	ck_assert_int_eq(quota_pend_source(&quota, settings, &other, &source), ADMITTED);
	ck_assert_uint_eq(quota.pending, PENDING_MAX);
	quota_pend_end(&quota, NULL);
	ck_assert_uint_eq(quota.pending, PENDING_MAX - 1);
}
END_TEST

START_TEST(each_source_has_half_of_the_room_that_is_left)
{
	unsigned left = PENDING_MAX;

	for (unsigned source = 1; left > 0; source++) {
		ck_assert_uint_eq(pend_all(source), (left + 1) / 2);
		left -= (left + 1) / 2;
		ck_assert_uint_eq(quota.pending, PENDING_MAX - left);
	}
	ck_assert_int_eq(may_pend(0xffffff), REFUSED_PENDING);
}
END_TEST

START_TEST(what_is_pending_no_more_makes_room)
{
	struct address address = peer(1);
	struct source *source = quota_pend(&quota, settings, &address);

	ck_assert_uint_eq(1 + pend_all(1), PENDING_MAX / 2);
	quota_pend_end(&quota, source);
	ck_assert_int_eq(may_pend(1), ADMITTED);
	ck_assert_uint_eq(quota.pending, PENDING_MAX / 2 - 1);
}
END_TEST

/* --- instances and per_source ---------------------------------------------------------- */

static const struct {
	unsigned instances, per_source;
	unsigned running_of_peer, running_of_others;
	enum verdict by_instances, by_source;
} limits[] = {
	{ UNLIMITED, UNLIMITED, 3, 3, ADMITTED, ADMITTED },
	{ 0, UNLIMITED, 0, 0, REFUSED_SERVICE_LIMIT, ADMITTED },
	{ 3, UNLIMITED, 1, 1, ADMITTED, ADMITTED },
	{ 3, UNLIMITED, 0, 3, REFUSED_SERVICE_LIMIT, ADMITTED },
	{ 3, UNLIMITED, 2, 2, REFUSED_SERVICE_LIMIT, ADMITTED },
	{ UNLIMITED, 0, 0, 0, ADMITTED, REFUSED_SOURCE_LIMIT },
	{ UNLIMITED, 2, 1, 5, ADMITTED, ADMITTED },
	{ UNLIMITED, 2, 2, 0, ADMITTED, REFUSED_SOURCE_LIMIT },
	{ 2, 2, 2, 0, REFUSED_SERVICE_LIMIT, REFUSED_SOURCE_LIMIT },
};

static struct source *run(unsigned number, unsigned count)
{
	struct address address = peer(number);
	struct source *last = NULL;

	for (unsigned i = 0; i < count; i++)
		last = quota_run(&quota, settings, &address);
	return last;
}

START_TEST(what_runs_counts_against_its_limits)
{
	struct address address = peer(1);

	settings->admission->instances = limits[_i].instances;
	settings->admission->per_source = limits[_i].per_source;
	run(1, limits[_i].running_of_peer);
	run(2, limits[_i].running_of_others);
	ck_assert_int_eq(quota_judge_instances(&quota, settings), limits[_i].by_instances);
	ck_assert_int_eq(quota_judge_source(&quota, settings, &address), limits[_i].by_source);
}
END_TEST

START_TEST(what_ends_counts_no_more)
{
	struct address address = peer(1);
	struct source *source;

	settings->admission->instances = settings->admission->per_source = 1;
	source = run(1, 1);
	ck_assert_ptr_nonnull(source);
	quota_run_end(&quota, source);
	ck_assert_uint_eq(quota.running, 0);
	ck_assert_int_eq(quota_judge_instances(&quota, settings), ADMITTED);
	ck_assert_int_eq(quota_judge_source(&quota, settings, &address), ADMITTED);
}
END_TEST

START_TEST(a_limit_that_is_set_later_counts_what_runs)
{
	struct address address = peer(1);

	ck_assert_ptr_null(run(1, 1));
	settings->admission->per_source = 1;
	ck_assert_int_eq(quota_judge_source(&quota, settings, &address), ADMITTED);
	ck_assert_ptr_nonnull(quota_recount(&quota, settings, &address));
	ck_assert_uint_eq(quota.running, 1);
	ck_assert_int_eq(quota_judge_source(&quota, settings, &address), REFUSED_SOURCE_LIMIT);
}
END_TEST

/* --- rates ------------------------------------------------------------------------------- */

/* Requests one after the other, in the same millisecond. */
static const struct {
	enum cps_action action;
	struct {
		enum verdict verdict;
		uint64_t pause_ms;
	} says[4];
} rates[] = {
	/* The reserve for sources below their share admits one more. */
	{ CPS_REFUSE,
	  { { ADMITTED, 0 }, { ADMITTED, 0 }, { REFUSED_RATE, 0 }, { REFUSED_RATE, 0 } } },
	{ CPS_SUSPEND,
	  { { ADMITTED, 0 }, { ADMITTED, 0 }, { REFUSED_RATE, 10000 }, { REFUSED_RATE, 10000 } } },
	{ CPS_QUEUE, { { ADMITTED, 0 }, { ADMITTED, 500 }, { ADMITTED, 500 }, { ADMITTED, 500 } } },
};

START_TEST(cps_says_what_to_do)
{
	struct address address = peer(1);

	settings->admission->cps = (struct rate){ .rate = 2, .seconds = 1, .other = 10 };
	settings->admission->cps_action = rates[_i].action;
	for (int i = 0; i < 4; i++) {
		struct judgement said = quota_take_rate(&quota, settings, &address, 1000);

		ck_assert_msg(said.verdict == rates[_i].says[i].verdict &&
				      said.pause_ms == rates[_i].says[i].pause_ms,
			      "%d: %s, %lu ms", i, verdict_text(said.verdict),
			      (unsigned long)said.pause_ms);
	}
}
END_TEST

START_TEST(no_seconds_suspend_for_a_moment)
{
	struct address address = peer(1);
	struct judgement said;

	settings->admission->cps = (struct rate){ .rate = 1, .seconds = 1, .other = 0 };
	settings->admission->cps_action = CPS_SUSPEND;
	ck_assert_int_eq(quota_take_rate(&quota, settings, &address, 1000).verdict, ADMITTED);
	said = quota_take_rate(&quota, settings, &address, 1000);
	ck_assert_int_eq(said.verdict, REFUSED_RATE);
	ck_assert_uint_eq(said.pause_ms, 1);
}
END_TEST

START_TEST(no_rate_takes_everybody)
{
	struct address address = peer(1);

	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(quota_take_rate(&quota, settings, &address, 1000).verdict,
				 ADMITTED);
		ck_assert_int_eq(quota_take_source_rate(&quota, settings, &address, 1000),
				 ADMITTED);
	}
}
END_TEST

START_TEST(source_cps_is_for_each_source)
{
	struct address one = peer(1), other = peer(2);

	settings->admission->source_cps = (struct rate){ .rate = 1, .seconds = 1, .other = 2 };
	ck_assert_int_eq(quota_take_source_rate(&quota, settings, &one, 1000), ADMITTED);
	ck_assert_int_eq(quota_take_source_rate(&quota, settings, &one, 1000), ADMITTED);
	ck_assert_int_eq(quota_take_source_rate(&quota, settings, &one, 1000), REFUSED_SOURCE_RATE);
	ck_assert_int_eq(quota_take_source_rate(&quota, settings, &other, 1000), ADMITTED);
	ck_assert_int_eq(quota_take_source_rate(&quota, settings, &one, 2000), ADMITTED);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *quota_suite(void)
{
	Suite *suite = suite_create("quota");
	TCase *pending = tcase_create("pending"), *running = tcase_create("running");
	TCase *rate = tcase_create("rate");

	tcase_add_checked_fixture(pending, set_up, tear_down);
	tcase_add_test(pending, each_source_has_half_of_the_room_that_is_left);
	tcase_add_test(pending, the_pending_of_a_source_are_counted);
	tcase_add_test(pending, a_balancer_has_all_of_the_room);
	tcase_add_test(pending, what_is_pending_no_more_makes_room);
	suite_add_tcase(suite, pending);
	tcase_add_checked_fixture(running, set_up, tear_down);
	tcase_add_loop_test(running, what_runs_counts_against_its_limits, 0, ROWS(limits));
	tcase_add_test(running, what_ends_counts_no_more);
	tcase_add_test(running, a_limit_that_is_set_later_counts_what_runs);
	suite_add_tcase(suite, running);
	tcase_add_checked_fixture(rate, set_up, tear_down);
	tcase_add_loop_test(rate, cps_says_what_to_do, 0, ROWS(rates));
	tcase_add_test(rate, no_seconds_suspend_for_a_moment);
	tcase_add_test(rate, no_rate_takes_everybody);
	tcase_add_test(rate, source_cps_is_for_each_source);
	suite_add_tcase(suite, rate);
	return suite;
}
