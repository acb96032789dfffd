#include "admission/steps.h"

#include "admission/libwrap.h"
#include "admission/proxy_header.h"
#include "base/loop.h"
#include "support/place.h"

#include <check.h>

static struct service_settings *settings;
static struct quota quota;
static struct address peer;
static const struct address unknown;

static void set_up(void)
{
	settings = service_settings_new();
	ck_assert(settings && loop_init() == 0);
	settings->socket_type = SOCK_STREAM;
	settings->admission->cps = (struct rate){ 0 };
	quota = (struct quota){ 0 };
	ck_assert_int_eq(address_parse(&peer, "10.1.2.3", 0), 0);
	place_make();
	place_write("hosts.allow", "ALL: ALL\n");
	libwrap_set_files(textf("%s", place_path("hosts.allow")), textf("%s", place_path("none")));
}

static void tear_down(void)
{
	quota_clear(&quota);
	service_settings_release(settings);
	place_remove();
}

static struct candidate candidate(enum way way)
{
	return (struct candidate){
		.settings = settings, .quota = &quota, .peer = &peer, .way = way
	};
}

/* --- when a step applies -------------------------------------------------------------- */

/* A service with every step. */
static void ask_for_all(void)
{
	static struct access_interval always = { 0, 1439 };
	static char file[] = "/a/file";

	settings->admission->proxy_protocol = PROXY_V1;
	settings->banner = settings->banner_success = file;
	settings->admission->source_cps = settings->admission->cps =
		(struct rate){ .rate = 9, .seconds = 1, .other = 9 };
	settings->admission->max_load = 1000;
	settings->admission->access_times = &always;
	settings->admission->access_times_count = 1;
	settings->admission->proof_of_work = 1;
	settings->admission->instances = settings->admission->per_source = 9;
	settings->log_on_success = LOG_FLAG_USERID;
}

/* The ways to which a step applies, c(onnection), m(ultiplexed), s(erver), d(atagram), of
 * a service with every step and of one with none. */
#define APPLIES(ROW) \
	ROW(STEP_PROXIED, "c", "") \
	ROW(STEP_BANNER, "c", "") \
	ROW(STEP_ADDRESS, "cmsd", "cmsd") \
	ROW(STEP_SOURCE_RATE, "cmsd", "") \
	ROW(STEP_PROOF, "c", "") \
	ROW(STEP_RATE, "cmsd", "") \
	ROW(STEP_LOAD, "cmsd", "") \
	ROW(STEP_TIME, "cmsd", "") \
	ROW(STEP_INSTANCES, "cmsd", "cmsd") \
	ROW(STEP_PER_SOURCE, "cmsd", "") \
	ROW(STEP_PROCESSES, "cms", "") \
	ROW(STEP_COUNTED, "cms", "cms") \
	ROW(STEP_LIBWRAP, "cms", "") \
	ROW(STEP_IDENTITY, "cms", "") \
	ROW(STEP_WELCOME, "cm", "")

STEPS_CHECK(APPLIES);

static const struct {
	const char *of_all, *of_none;
} applies[] = {
#define APPLIES_ROW(step, of_all, of_none) [step] = { of_all, of_none },
	APPLIES(APPLIES_ROW)
};

static void expect_ways(enum admission_step step, const char *wanted, unsigned processes_max)
{
	static const struct {
		char letter;
		enum way way;
	} ways[] = {
		{ 'c', WAY_CONNECTION },
		{ 'm', WAY_MULTIPLEXED },
		{ 's', WAY_SERVER },
		{ 'd', WAY_DATAGRAM },
	};

	for (int i = 0; i < 4; i++) {
		struct candidate who = candidate(ways[i].way);

		who.processes_max = processes_max;
		ck_assert_msg(admission_applies(step, &who) == !!strchr(wanted, ways[i].letter),
			      "step %d, way %c", (int)step, ways[i].letter);
	}
}

START_TEST(a_step_is_for_those_whom_it_concerns)
{
	settings->flags |= FLAG_NOLIBWRAP;
	expect_ways(_i, applies[_i].of_none, 0);
	settings->flags &= ~(unsigned)FLAG_NOLIBWRAP;
	ask_for_all();
#ifdef HAVE_LIBWRAP
	expect_ways(_i, applies[_i].of_all, 9);
#else
	expect_ways(_i, _i == STEP_LIBWRAP ? "" : applies[_i].of_all, 9);
#endif
	settings->admission->access_times_count = 0;
}
END_TEST

/* A server that accepts its clients itself. */
START_TEST(an_unknown_peer_is_not_asked_about)
{
	struct candidate who = candidate(WAY_SERVER);

	who.peer = &unknown;
	ck_assert(!admission_applies(STEP_ADDRESS, &who));
	ck_assert(!admission_applies(STEP_LIBWRAP, &who));
	ck_assert(admission_applies(STEP_INSTANCES, &who));
}
END_TEST

#ifdef HAVE_LIBWRAP
START_TEST(libwrap_leaves_rpc_over_tcp_to_rpcbind)
{
	struct candidate who = candidate(WAY_SERVER);

	settings->types = TYPE_RPC;
	ck_assert(!admission_applies(STEP_LIBWRAP, &who));
	settings->socket_type = SOCK_DGRAM;
	ck_assert(admission_applies(STEP_LIBWRAP, &who));
}
END_TEST

START_TEST(libwrap_is_not_asked_without_rules)
{
	struct candidate who = candidate(WAY_CONNECTION);

	libwrap_set_files(textf("%s", place_path("none")), textf("%s", place_path("none")));
	ck_assert(!admission_applies(STEP_LIBWRAP, &who));
}
END_TEST
#endif

/* --- the judgement of a step ------------------------------------------------------------- */

START_TEST(processes_have_a_limit)
{
	struct candidate who = candidate(WAY_CONNECTION);

	who.processes_max = 3;
	who.processes = 2;
	ck_assert_int_eq(admission_judge(STEP_PROCESSES, &who).verdict, ADMITTED);
	who.processes = 3;
	ck_assert_int_eq(admission_judge(STEP_PROCESSES, &who).verdict, REFUSED_PROCESS_LIMIT);
	settings->types = TYPE_INTERNAL;
	ck_assert(!admission_applies(STEP_PROCESSES, &who));
}
END_TEST

/* Has this step, and no other, refuse the peer. */
static void refuse_by(enum admission_step step)
{
	static struct access_interval noon = { 720, 721 };

	if (step == STEP_ADDRESS)
		settings->admission->only_from.is_set = true;
	if (step == STEP_TIME)
		settings->admission->access_times = &noon;
	if (step == STEP_INSTANCES)
		settings->admission->instances = 0;
	if (step == STEP_PER_SOURCE)
		settings->admission->per_source = 0;
}

static const struct {
	enum admission_step step;
	enum verdict verdict;
} refusals[] = {
	{ STEP_ADDRESS, REFUSED_ADDRESS },
	{ STEP_TIME, REFUSED_TIME },
	{ STEP_INSTANCES, REFUSED_SERVICE_LIMIT },
	{ STEP_PER_SOURCE, REFUSED_SOURCE_LIMIT },
};

/* The first refusal, in the order of the frontend and -explain. */
static enum verdict walk(const struct candidate *who)
{
	enum verdict verdict = ADMITTED;

	for (enum admission_step step = 0; step < ADMISSION_STEPS && verdict == ADMITTED; step++)
		if (admission_judges(step) && admission_applies(step, who))
			verdict = admission_judge(step, who).verdict;
	return verdict;
}

START_TEST(each_refusal_has_its_own_verdict)
{
	struct candidate who = candidate(WAY_CONNECTION);

	ask_for_all();
	ck_assert_int_eq(walk(&who), ADMITTED);
	refuse_by(refusals[_i].step);
	ck_assert_int_eq(walk(&who), refusals[_i].verdict);
	settings->admission->access_times_count = 0;
}
END_TEST

Suite *steps_suite(void)
{
	Suite *suite = suite_create("steps");
	TCase *tcase = tcase_create("steps");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_step_is_for_those_whom_it_concerns, 0, ADMISSION_STEPS);
	tcase_add_test(tcase, an_unknown_peer_is_not_asked_about);
#ifdef HAVE_LIBWRAP
	tcase_add_test(tcase, libwrap_leaves_rpc_over_tcp_to_rpcbind);
	tcase_add_test(tcase, libwrap_is_not_asked_without_rules);
#endif
	tcase_add_test(tcase, processes_have_a_limit);
	tcase_add_loop_test(tcase, each_refusal_has_its_own_verdict, 0,
			    sizeof refusals / sizeof refusals[0]);
	suite_add_tcase(suite, tcase);
	return suite;
}
