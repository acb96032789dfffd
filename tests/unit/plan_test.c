#include "monitor/plan.h"
#include "support/configuration.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What plan_make reports: "-id " for a removed service, "!id " for one that keeps its
 * version. */
static char told[256];

static void on_removed(const struct service_settings *service)
{
	snprintf(told + strlen(told), sizeof told - strlen(told), "-%s ", service->id);
}

static void on_broken(const struct service_settings *service)
{
	snprintf(told + strlen(told), sizeof told - strlen(told), "!%s ", service->id);
}

static const struct plan_events events = { .removed = on_removed, .broken = on_broken };

static struct region *region;

static void setup(void)
{
	told[0] = '\0';
	configuration_make();
	ck_assert_int_eq(regions_reserve(NULL), 0);
	ck_assert_ptr_nonnull(region = region_new());
}

static void teardown(void)
{
	region_free(region);
	configuration_remove();
}

/* services: "id port" for each. */
static struct settings *load(const char *services)
{
	static char text[4096];
	char id[32];
	int port, length;

	text[0] = '\0';
	for (; sscanf(services, "%31s %d%n", id, &port, &length) == 2; services += length)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "service echo\n{\n id = %s\n type = INTERNAL UNLISTED\n port = %d\n"
			 " socket_type = stream\n protocol = tcp\n wait = no\n%s}\n",
			 id, port, port == 1 ? " nonsense = 1\n" : "");
	return configuration_load("%s", text);
}

static struct generation *running(const char *services)
{
	static const uint32_t continues[16];
	struct settings *settings = load(services);

	return generation_fill(region, 1, settings->services, continues, (uint32_t)settings->count);
}

static const struct {
	const char *what, *before, *after;
	const char *continues; /* "-": new */
	const char *told;
	unsigned added, kept, removed, broken;
} cases[] = {
	{ "all are new", NULL, "a 7001 b 7002", "- - ", "", 2, 0, 0, 0 },
	{ "nothing changes", "a 7001 b 7002", "a 7001 b 7002", "0 1 ", "", 0, 2, 0, 0 },
	{ "another order", "a 7001 b 7002", "b 7002 a 7001", "1 0 ", "", 0, 2, 0, 0 },
	{ "one comes, one goes", "a 7001 b 7002", "c 7003 a 7001", "- 0 ", "-b ", 1, 1, 1, 0 },
	{ "an id in another case", "a 7001", "A 7001", "0 ", "", 0, 1, 0, 0 },
	{ "another port", "a 7001", "a 7009", "0 ", "", 0, 1, 0, 0 },
	{ "two of one id by their ports", "a 7001 a 7002", "a 7002 a 7001", "1 0 ", "", 0, 2, 0,
	  0 },
	{ "a broken entry keeps its version", "a 7001 b 7002", "b 7002 a 1", "1 0 ", "!a ", 0, 1, 0,
	  1 },
	{ "a broken new entry", "a 7001", "a 7001 b 1", "0 ", "", 0, 1, 0, 0 },
};

START_TEST(matches_services)
{
	struct generation *before = cases[_i].before ? running(cases[_i].before) : NULL;
	struct plan plan;
	char continues[64] = "";

	ck_assert_int_eq(plan_make(&plan, before, load(cases[_i].after), &events), 0);
	for (uint32_t i = 0; i < plan.count; i++)
		if (plan.continues[i] == SERVICE_IS_NEW)
			strcat(continues, "- ");
		else
			snprintf(continues + strlen(continues), 16, "%u ", plan.continues[i]);
	ck_assert_msg(strcmp(continues, cases[_i].continues) == 0, "%s: %s", cases[_i].what,
		      continues);
	ck_assert_str_eq(told, cases[_i].told);
	ck_assert_uint_eq(plan.added, cases[_i].added);
	ck_assert_uint_eq(plan.kept, cases[_i].kept);
	ck_assert_uint_eq(plan.removed, cases[_i].removed);
	ck_assert_uint_eq(plan.broken, cases[_i].broken);
	plan_free(&plan);
}
END_TEST

START_TEST(gives_up_what_cannot_be_had)
{
	struct generation *before = running("a 7001");
	struct settings *settings = load("a 7009 b 7002 c 7003");
	struct plan plan;

	ck_assert_int_eq(plan_make(&plan, before, settings, &events), 0);
	plan_give_up(&plan, before, 1);
	plan_give_up(&plan, before, 0);
	ck_assert_uint_eq(plan.count, 2);
	ck_assert_int_eq(plan.services[0]->port, 7001);
	ck_assert_str_eq(plan.services[1]->id, "c");
	ck_assert_uint_eq(plan.added, 1);
	ck_assert_uint_eq(plan.kept, 0);
	ck_assert_uint_eq(plan.broken, 1);
	plan_free(&plan);
}
END_TEST

Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tests = tcase_create("plan");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, matches_services, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tests, gives_up_what_cannot_be_had);
	suite_add_tcase(suite, tests);
	return suite;
}
