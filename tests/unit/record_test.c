#include "session/record.h"
#include "support/stage.h"

#include <check.h>

/* Seconds by which the wall clock is changed during the session. */
static const int64_t changes[] = { 0, 14400, -14400 };

START_TEST(a_clock_that_is_set_changes_no_duration)
{
	stage.settings->log_on_success = LOG_FLAG_DURATION;
	stage_serve(&discard_handler);
	stage.session->started += changes[_i];
	record_exit(stage.session, 0);
	ck_assert_str_eq(stage_lines(), "START: svc\nEXIT: svc duration=0(sec)\n");
	session_close(stage.session);
}
END_TEST

static const struct {
	uint64_t cpu_us, max_rss;
	unsigned flags;
	const char *line;
} usages[] = {
	{ 0, 0, LOG_FLAG_RUSAGE, "RUSAGE: svc cpu=0.000(sec) maxrss=0(KiB)\n" },
	{ 999, 4096, LOG_FLAG_RUSAGE, "RUSAGE: svc cpu=0.000(sec) maxrss=4096(KiB)\n" },
	{ 61002999, 1, LOG_FLAG_RUSAGE, "RUSAGE: svc cpu=61.002(sec) maxrss=1(KiB)\n" },
	{ 1500000, 7, LOG_FLAG_RUSAGE | LOG_FLAG_PID,
	  "RUSAGE: svc pid=0 cpu=1.500(sec) maxrss=7(KiB)\n" },
	{ 1, 1, LOG_FLAG_EXIT, "" },
};

START_TEST(writes_what_was_used)
{
	stage.settings->log_on_success = 0;
	stage_serve(&discard_handler);
	stage.settings->log_on_success = usages[_i].flags;
	record_usage(stage.session, usages[_i].cpu_us, usages[_i].max_rss);
	ck_assert_str_eq(stage_lines(), usages[_i].line);
	session_close(stage.session);
}
END_TEST

Suite *record_suite(void);

Suite *record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *lines = tcase_create("lines");

	tcase_add_checked_fixture(lines, stage_set_up, stage_tear_down);
	tcase_add_loop_test(lines, a_clock_that_is_set_changes_no_duration, 0,
			    sizeof changes / sizeof changes[0]);
	tcase_add_loop_test(lines, writes_what_was_used, 0, sizeof usages / sizeof usages[0]);
	suite_add_tcase(suite, lines);
	return suite;
}
