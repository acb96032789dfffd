/* Words @FILE of only_from and no_access. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(a_file_keeps_out_whom_it_names)
{
	int port;

	place_write("blocked", "# bad neighbours\n\n127.0.0.5\n127.0.7.0/24 # all of them\n");
	port = add_service("zzfile", HELLO "no_access = @blocked 127.0.0.9\n%s", log_everything());
	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.4", port, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.5", port, ""), "");
	ck_assert_str_eq(ask_from("127.0.7.77", port, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.9", port, ""), "");
	service_wait_log(LOG_TIME "FAIL: zzfile address from=127\\.0\\.7\\.77$");
}
END_TEST

/* The more specific one decides, wherever it stands. */
START_TEST(files_and_words_are_one_list)
{
	int port;

	place_write("friends", "127.0.0.5\n127.1.0.0/16\n");
	port = add_service("zzfile",
			   HELLO "only_from = @friends\nno_access = 127.1.1.0/24 @foes\n");
	place_write("foes", "127.0.0.5\n127.1.1.1\n");
	daemon_start();
	ck_assert_str_eq(ask_from("127.1.2.1", port, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.1.1.1", port, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.5", port, ""), "");
	ck_assert_str_eq(ask_from("127.0.0.6", port, ""), "");
}
END_TEST

START_TEST(a_reload_reads_the_file_again)
{
	int port, held;

	place_write("blocked", "127.0.0.5\n");
	port = add_service("zzfile", CAT "no_access = @blocked\n%s", log_everything());
	daemon_start();
	held = client_connect_from("127.0.0.6", NULL, port);
	client_ping(held);
	place_write("blocked", "127.0.0.6\n");
	daemon_reload();
	ck_assert_str_eq(ask_from("127.0.0.5", port, "in"), "in");
	ck_assert_str_eq(ask_from("127.0.0.6", port, "out"), "");
	client_expect_end(held); /* as for any list that changes */
}
END_TEST

START_TEST(without_its_file_a_service_is_not_started)
{
	int port = add_service("zzfile", HELLO "only_from = @friends\n");
	int other = add_service("zzother", HELLO);

	daemon_start();
	ck_assert_str_eq(ask(other, ""), "hello\n");
	ck_assert(client_is_refused(NULL, port));
	ck_assert(text_matches(daemon_log(),
			       textf("%s:[0-9]+: only_from: @%s can't be used: No such file",
				     configuration_path(), place_path("friends"))));
}
END_TEST

START_TEST(a_file_that_goes_wrong_leaves_the_running_list)
{
	int port;

	place_write("blocked", "127.0.0.5\n");
	port = add_service("zzfile", HELLO "no_access = @blocked\n");
	daemon_start();
	place_write("blocked", "127.0.0.6\n127.0.0.0/99\n");
	daemon_reload();
	daemon_wait_log("%s:2: \"127.0.0.0/99\" has no valid prefix length", place_path("blocked"));
	daemon_wait_log("service zzfile: keeping the running version");
	ck_assert_str_eq(ask_from("127.0.0.6", port, ""), "hello\n");
	ck_assert_str_eq(ask_from("127.0.0.5", port, ""), "");
}
END_TEST

START_TEST(many_services_share_a_long_list)
{
	enum { WORDS = 100000, LINE = 24, SERVICES = 200 };
	char *text = keep(malloc(WORDS * LINE)), *end = text;
	int ports[SERVICES];

	for (int i = 0; i < WORDS; i++)
		end += sprintf(end, "127.%d.%d.%d\n", 2 + (i >> 16), i >> 8 & 255, 1 + i % 255);
	place_write_bytes("blocked", text, (size_t)(end - text));
	add_defaults("no_access = @blocked\n");
	for (int i = 0; i < SERVICES; i++)
		ports[i] = add_service("echo", "type = INTERNAL UNLISTED\nid = echo-%d\n", i);
	daemon_start();
	ck_assert_str_eq(ask_from("127.0.0.5", ports[SERVICES - 1], "in"), "in");
	ck_assert_str_eq(ask_from("127.2.0.1", ports[SERVICES - 1], "out"), "");
	daemon_reload();
	ck_assert_str_eq(ask_from("127.0.0.5", ports[0], "in"), "in");
	ck_assert_str_eq(ask_from("127.3.9.9", ports[0], "out"), "");
}
END_TEST

START_TEST(print_and_explain_show_the_file)
{
	struct outcome outcome;

	place_write("blocked", "# first\n127.0.0.5\n");
	add_service("zzfile", HELLO "no_access = @blocked\n");
	configuration_write();
	outcome = daemon_run((const char *[]){ "-print", "-f", configuration_path(), NULL });
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.output,
				   textf("no_access +=? @%s$", place_path("blocked"))),
		      "%s", outcome.output);
	outcome = daemon_run((const char *[]){ "-explain", "zzfile", "127.0.0.5", "-f",
					       configuration_path(), NULL });
	ck_assert_msg(text_matches(outcome.output, textf("no_access 127.0.0.5 \\(%s:2\\) covers it",
							 place_path("blocked"))),
		      "%s%s", outcome.output, outcome.errors);
}
END_TEST

START_TEST(check_reports_the_file)
{
	struct outcome outcome;

	place_write("blocked", "127.0.0.5\n@more\n");
	add_service("zzfile", HELLO "no_access = @blocked\n");
	configuration_write();
	outcome = daemon_run((const char *[]){ "-check", "-f", configuration_path(), NULL });
	ck_assert_int_ne(outcome.status, 0);
	ck_assert_msg(text_matches(textf("%s%s", outcome.output, outcome.errors),
				   textf("%s:2: error: \"@more\" has no place in a file of rules",
					 place_path("blocked"))),
		      "%s%s", outcome.output, outcome.errors);
}
END_TEST

/* Whoever can write the list could take himself off it. */
START_TEST(root_takes_no_list_that_others_can_change)
{
	int port;

	place_write("blocked", "127.0.0.5\n");
	ck_assert_int_eq(chmod(place_path("blocked"), 0666), 0);
	port = add_service("zzfile", HELLO "no_access = @blocked\n");
	add_service("zzother", HELLO);
	daemon_start();
	ck_assert(client_is_refused(NULL, port));
	ck_assert(text_matches(daemon_log(), "blocked is writable by everybody"));
}
END_TEST

Suite *rule_files_suite(void)
{
	Suite *suite = suite_create("rule_files");
	TCase *tests = daemon_tcase(suite, "files of rules");

	tcase_add_test(tests, a_file_keeps_out_whom_it_names);
	tcase_add_test(tests, files_and_words_are_one_list);
	tcase_add_test(tests, a_reload_reads_the_file_again);
	tcase_add_test(tests, without_its_file_a_service_is_not_started);
	tcase_add_test(tests, a_file_that_goes_wrong_leaves_the_running_list);
	tcase_add_test(tests, many_services_share_a_long_list);
	tcase_add_test(tests, print_and_explain_show_the_file);
	tcase_add_test(tests, check_reports_the_file);
	if (is_superuser())
		tcase_add_test(tests, root_takes_no_list_that_others_can_change);
	return suite;
}
