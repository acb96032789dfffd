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

Suite *record_suite(void);

Suite *record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *lines = tcase_create("lines");

	tcase_add_checked_fixture(lines, stage_set_up, stage_tear_down);
	tcase_add_loop_test(lines, a_clock_that_is_set_changes_no_duration, 0,
			    sizeof changes / sizeof changes[0]);
	suite_add_tcase(suite, lines);
	return suite;
}
