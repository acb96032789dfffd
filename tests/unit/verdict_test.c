#include "admission/verdict.h"

#include <check.h>

/* The words of FAIL lines and of the status report. Programs that read logs know them. */
static const struct {
	const char *text, *name;
} words[VERDICT_COUNT] = {
	[ADMITTED] = { "admitted", "admitted" },
	[REFUSED_ADDRESS] = { "address", "address" },
	[REFUSED_TIME] = { "time", "time" },
	[REFUSED_FORK] = { "fork", "fork" },
	[REFUSED_SERVICE_LIMIT] = { "service_limit", "service_limit" },
	[REFUSED_SOURCE_LIMIT] = { "per_source_limit", "per_source_limit" },
	[REFUSED_PROCESS_LIMIT] = { "process_limit", "process_limit" },
	[REFUSED_LIBWRAP] = { "libwrap", "libwrap" },
	[REFUSED_LOAD] = { "load", "load" },
	[REFUSED_SOURCE_RATE] = { "source rate", "source rate" },
	[REFUSED_RATE] = { "connections per second", "connections per second" },
	[REFUSED_EXEC] = { "exec", "exec" },
	[REFUSED_DESCRIPTORS] = { "no available descriptors", "no available descriptors" },
	[REFUSED_MEMORY] = { "memory", "memory" },
	[REFUSED_PENDING] = { "too many arriving", "too many arriving" },
	[REFUSED_IDENT] = { "userid", "userid" },
	[REFUSED_TARGET] = { "redirect", "redirect" },
	[REFUSED_BANNED] = { "address", "ban" },
	[REFUSED_BANNER] = { "banner", "banner" },
	[REFUSED_START_TIMEOUT] = { "start_timeout", "start_timeout" },
	[REFUSED_PROOF] = { "proof of work", "proof of work" },
	[REFUSED_PROXY] = { "proxy", "proxy" },
};

/* A verdict without a row above fails too. */
START_TEST(each_verdict_has_its_word)
{
	ck_assert_str_eq(verdict_text((enum verdict)_i), words[_i].text);
	ck_assert_str_eq(verdict_name((enum verdict)_i), words[_i].name);
}
END_TEST

Suite *verdict_suite(void);

Suite *verdict_suite(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tests = tcase_create("words");

	tcase_add_loop_test(tests, each_verdict_has_its_word, 0, VERDICT_COUNT);
	suite_add_tcase(suite, tests);
	return suite;
}
