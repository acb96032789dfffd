#include "config/access_times.h"

#include <check.h>
#include <stdio.h>

enum { MINUTES = 24 * 60 };

static const struct {
	const char *text;
	int first, last;
} good[] = {
	{ "9:00-17:30", 540, 1050 },   { "09:00-17:30", 540, 1050 }, { "9:0-17:5", 540, 1025 },
	{ "0:00-23:59", 0, 1439 },     { "00:00-24:00", 0, 1439 },   { "12:00-24:00", 720, 1439 },
	{ "23:59-24:00", 1439, 1439 }, { "22:00-6:00", 1320, 360 },  { "22:00-0:00", 1320, 0 },
	{ "0:01-0:00", 1, 0 },         { "23:59-00:00", 1439, 0 },
};

START_TEST(reads_intervals)
{
	struct access_interval interval = { -1, -1 };

	ck_assert_msg(access_interval_parse(&interval, good[_i].text) == 0, "%s", good[_i].text);
	ck_assert_msg(interval.first == good[_i].first && interval.last == good[_i].last,
		      "%s: %d to %d", good[_i].text, interval.first, interval.last);
}
END_TEST

static const char *const bad[] = {
	"",
	"-",
	":",
	"9-17",
	"9:00",
	"9:00-",
	"-9:00",
	"9:00-17",
	"9:00-17:",
	"9-17:00",
	":00-17:00",
	"9:-17:00",
	"009:00-17:00",
	"9:000-17:00",
	"9:00-17:000",
	"9:00-017:00",
	"9:60-17:00",
	"9:00-17:60",
	"24:00-1:00",
	"9:00-24:01",
	"9:00-25:00",
	"24:30-25:00",
	"99:00-17:00",
	"9:00-9:00",
	"0:00-0:00",
	"9:00-09:0",
	"9:00 -17:00",
	"9:00- 17:00",
	" 9:00-17:00",
	"9:00-17:00 ",
	"9:00-17:00x",
	"9:00-17:00-18:00",
	"+9:00-17:00",
	"9.00-17.00",
	"a:00-17:00",
	"9:00--17:00",
	"9:00-17:-1",
	"24:00-24:00",
};

START_TEST(refuses_what_is_none)
{
	struct access_interval interval = { -1, -2 };

	ck_assert_msg(access_interval_parse(&interval, bad[_i]) == -1, "\"%s\"", bad[_i]);
	ck_assert_msg(interval.first == -1 && interval.last == -2, "\"%s\" left a trace", bad[_i]);
}
END_TEST

START_TEST(reads_every_time_of_the_day)
{
	for (int minute = 0; minute < MINUTES; minute++) {
		struct access_interval interval;
		char text[64];

		snprintf(text, sizeof text, "%d:%02d-%02d:%d", minute / 60, minute % 60,
			 (minute + 1) % MINUTES / 60, (minute + 1) % 60);
		if (access_interval_parse(&interval, text) < 0 || interval.first != minute ||
		    interval.last != (minute + 1) % MINUTES)
			ck_abort_msg("%s", text);
	}
}
END_TEST

/* Walks from the first minute to the last, over midnight if need be. */
START_TEST(an_interval_holds_what_a_walk_passes)
{
	static const struct access_interval intervals[] = {
		{ 540, 1050 }, { 0, 1439 }, { 1439, 1439 }, { 1320, 360 },
		{ 1, 0 },      { 1439, 0 }, { 720, 721 },
	};

	for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
		bool passed[MINUTES] = { false };
		int minute = intervals[i].first;

		for (passed[minute] = true; minute != intervals[i].last; passed[minute] = true)
			minute = (minute + 1) % MINUTES;
		for (minute = 0; minute < MINUTES; minute++)
			if (access_times_allow(&intervals[i], 1, minute) != passed[minute])
				ck_abort_msg("%d to %d at %d", intervals[i].first,
					     intervals[i].last, minute);
	}
}
END_TEST

START_TEST(one_of_several_is_enough)
{
	static const struct access_interval intervals[] = {
		{ 60, 120 },
		{ 600, 660 },
		{ 1400, 20 },
	};
	static const struct {
		int minute;
		bool allowed;
	} rows[] = {
		{ 0, true },    { 20, true },    { 21, false },  { 59, false },
		{ 60, true },   { 120, true },   { 121, false }, { 600, true },
		{ 661, false }, { 1399, false }, { 1400, true }, { 1439, true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(access_times_allow(intervals, 3, rows[i].minute) == rows[i].allowed,
			      "minute %d", rows[i].minute);
}
END_TEST

START_TEST(no_interval_allows_always)
{
	ck_assert(access_times_allow(NULL, 0, 0));
	ck_assert(access_times_allow(NULL, 0, 1439));
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *access_times_suite(void)
{
	Suite *suite = suite_create("access_times");
	TCase *parse = tcase_create("parse"), *allow = tcase_create("allow");

	tcase_add_loop_test(parse, reads_intervals, 0, ROWS(good));
	tcase_add_loop_test(parse, refuses_what_is_none, 0, ROWS(bad));
	tcase_add_test(parse, reads_every_time_of_the_day);
	suite_add_tcase(suite, parse);
	tcase_add_test(allow, an_interval_holds_what_a_walk_passes);
	tcase_add_test(allow, one_of_several_is_enough);
	tcase_add_test(allow, no_interval_allows_always);
	suite_add_tcase(suite, allow);
	return suite;
}
