/* What the daemon writes itself is in files of its own. */
#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE(lines) \
	"service a\n{\ntype = UNLISTED\nport = 0\nsocket_type = stream\nwait = no\n" \
	"user = root\nserver = /bin/sh\n" lines "\n}\n"

static const struct {
	const char *text;
	int line; /* of the error; 0: there is none */
	const char *complaint;
} rows[] = {
	{ "daemon\n{\nban_file = one\nmetrics_file = two\ncontrol_socket = three\n"
	  "status_file = four\n}\n" SERVICE("log_type = FILE five"),
	  0, NULL },
	{ "daemon\n{\nban_file = one\nmetrics_file = one\n}\n", 4,
	  "one is the ban_file too; name another file" },
	{ "daemon\n{\nmetrics_file = one\nban_file = one\n}\n", 3, "one is the ban_file too" },
	{ "daemon\n{\nstatus_file = one\nban_file = one\n}\n", 4, "one is the status_file too" },
	{ "daemon\n{\ncontrol_socket = one\nmetrics_file = one\n}\n", 3,
	  "one is the metrics_file too" },
	{ "daemon\n{\nban_file = one\nmetrics_file = d/../one\n}\n", 4, "is the ban_file too" },
	{ "daemon\n{\nban_file = d/one\nmetrics_file = link/one\n}\n", 4, "is the ban_file too" },
	{ "daemon\n{\nban_file = /var/run/xinetd.dump\n}\n", 3, "is the status_file too" },
	{ "daemon\n{\nban_file = one\nmetrics_file = d/one\n}\n", 0, NULL },
	{ "daemon\n{\nban_file = one\n}\ndefaults\n{\nlog_type = FILE one\n}\n", 7, "log_type: " },
	{ "daemon\n{\nban_file = one\n}\n" SERVICE("log_type = FILE one"), 5,
	  "one is the ban_file of the daemon; name another file" },
	{ "daemon\n{\nmetrics_file = one\n}\n" SERVICE("stderr = %s/one"), 5,
	  "one is the metrics_file of the daemon" },
	{ "daemon\n{\nstatus_file = one\n}\n" SERVICE("log_type = FILE d/../one"), 5,
	  "one is the status_file of the daemon" },
	{ "daemon\n{\nstatus_file = /dev/null\n}\n" SERVICE("log_type = FILE /dev/null"), 0, NULL },
	{ "daemon\n{\nban_file = pid\n}\n", 3, "pid is the -pidfile too; name another file" },
	{ "daemon\n{\ncontrol_socket = d/../pid\n}\n", 3, "is the -pidfile too" },
	{ "daemon\n{\nstatus_file = log\n}\n", 3, "log is the -filelog too; name another file" },
	{ SERVICE("log_type = FILE pid"), 1, "pid is the -pidfile of the daemon" },
	{ SERVICE("log_type = FILE log"), 0, NULL },
	{ "defaults\n{\nlog_type = FILE pid\n}\n", 3, "pid is the -pidfile of the daemon" },
	{ "defaults\n{\nlog_type = FILE log\n}\n", 0, NULL },
};

enum { ROWS = sizeof rows / sizeof rows[0] };

START_TEST(no_file_is_used_twice)
{
	static const char insertion[] = "%s";
	const char *text = rows[_i].text, *gap = strstr(text, insertion);

	ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
	ck_assert_int_eq(symlink("d", place_path("link")), 0);
	if (gap)
		text = textf("%.*s%s%s", (int)(gap - text), text, place_path(""),
			     gap + strlen(insertion));
	load_options.pid_file = place_path("pid");
	load_options.log_file = place_path("log");
	configuration_load("%s", text);
	if (rows[_i].line)
		ck_assert_msg(configuration_said(ERROR, rows[_i].line, rows[_i].complaint), "%s%s",
			      text, configuration_complaints_text());
	ck_assert_msg(load_problems.errors == (rows[_i].line != 0), "%s%s", text,
		      configuration_complaints_text());
}
END_TEST

START_TEST(services_may_share_a_log)
{
	configuration_load("defaults\n{\nlog_type = FILE one\n}\n" SERVICE("log_type = FILE one"));
	ck_assert_uint_eq(load_problems.errors, 0);
	ck_assert_ptr_nonnull(configuration_service("a"));
}
END_TEST

Suite *written_files_suite(void);

Suite *written_files_suite(void)
{
	Suite *suite = suite_create("written_files");
	TCase *tests = tcase_create("written_files");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_loop_test(tests, no_file_is_used_twice, 0, ROWS);
	tcase_add_test(tests, services_may_share_a_log);
	suite_add_tcase(suite, tests);
	return suite;
}
