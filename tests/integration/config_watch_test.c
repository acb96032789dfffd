/* watch = yes: files that change are read without a signal. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int port;

static void start_watching(const char *more)
{
	port = port_take();
	ck_assert_int_eq(mkdir(place_path("conf.d"), 0755), 0);
	configure("daemon\n{\nwatch = yes\n}\nincludedir %s\n%s", place_path("conf.d"), more);
	daemon_start();
}

/* A service that says so. */
static void write_file(const char *name, const char *says)
{
	place_write(name,
		    "service zzone\n{\ntype = UNLISTED\nsocket_type = stream\nprotocol = tcp\n"
		    "wait = no\nuser = %s\nserver = /bin/echo\nserver_args = %s\nport = %d\n}\n",
		    current_user(), says, port);
}

static bool says(const char *answer)
{
	return port_is_served("tcp", port) && text_matches(ask(port, ""), answer);
}

START_TEST(a_file_that_is_written_changed_and_removed_is_noticed)
{
	start_watching("");
	write_file("conf.d/one", "first");
	wait_until(says("first"));
	write_file("conf.d/one", "second");
	wait_until(says("second"));
	ck_assert_int_eq(unlink(place_path("conf.d/one")), 0);
	wait_until(!port_is_served("tcp", port));
}
END_TEST

START_TEST(a_file_that_is_renamed_is_noticed)
{
	start_watching("");
	write_file("elsewhere", "first");
	ck_assert_int_eq(rename(place_path("elsewhere"), place_path("conf.d/one")), 0);
	wait_until(says("first"));
	ck_assert_int_eq(rename(place_path("conf.d/one"), place_path("conf.d/one.off")), 0);
	wait_until(!port_is_served("tcp", port));
}
END_TEST

/* As services are often enabled. */
START_TEST(a_link_is_noticed)
{
	start_watching("");
	write_file("elsewhere", "first");
	ck_assert_int_eq(_i ? link(place_path("elsewhere"), place_path("conf.d/one"))
			    : symlink(place_path("elsewhere"), place_path("conf.d/one")),
			 0);
	wait_until(says("first"));
}
END_TEST

/* Also when there is none for a while. */
START_TEST(another_directory_of_the_name_is_noticed)
{
	start_watching("");
	ck_assert_int_eq(mkdir(place_path("new.d"), 0755), 0);
	write_file("new.d/one", "first");
	ck_assert_int_eq(rename(place_path("conf.d"), place_path("old.d")), 0);
	if (_i) /* it is read without any */
		daemon_wait_log("conf\\.d");
	ck_assert_int_eq(rename(place_path("new.d"), place_path("conf.d")), 0);
	wait_until(says("first"));
	write_file("conf.d/one", "second");
	wait_until(says("second"));
}
END_TEST

/* While a new directory has been read and is not watched yet. */
START_TEST(what_changes_before_it_is_watched_is_noticed)
{
	pid_t frontend;

	port = port_take();
	add_service("zzother", HELLO);
	daemon_start();
	frontend = process_frontend(daemon_pid());
	ck_assert_int_eq(mkdir(place_path("more.d"), 0755), 0);
	place_write("more.d/wrong", "service zzwrong\n{\nnosuch = attribute\n}\n");
	configure("daemon\n{\nwatch = yes\n}\nincludedir %s\n", place_path("more.d"));
	ck_assert_int_eq(kill(frontend, SIGSTOP), 0);
	configuration_write();
	daemon_signal(SIGHUP);
	daemon_wait_log("more\\.d/wrong:3: unknown attribute");
	write_file("more.d/one", "first");
	ck_assert_int_eq(kill(frontend, SIGCONT), 0);
	wait_until(says("first"));
}
END_TEST

/* As editors write it: a new file takes the name. */
START_TEST(the_main_file_is_watched_too)
{
	char written[4096];

	start_watching("");
	snprintf(written, sizeof written, "%s", place_read("usherd.conf"));
	write_file("new.conf", "main");
	place_write("new.conf", "%s\n%s", written, place_read("new.conf"));
	ck_assert_int_eq(rename(place_path("new.conf"), configuration_path()), 0);
	wait_until(says("main"));
}
END_TEST

START_TEST(a_broken_file_keeps_what_runs)
{
	start_watching("");
	write_file("conf.d/one", "first");
	wait_until(says("first"));
	write_file("conf.d/one", "x\nnosuch = y");
	daemon_wait_log("ERROR: .*conf\\.d/one:10: unknown attribute \"nosuch\"");
	ck_assert(says("first"));
	write_file("conf.d/one", "third");
	wait_until(says("third"));
}
END_TEST

/* The file that matters comes last: its reload must be the only one. */
START_TEST(names_that_includedir_passes_over_do_not_matter)
{
	start_watching("");
	write_file("conf.d/one.swp", "wrong");
	write_file("conf.d/one~", "wrong");
	write_file("beside", "wrong");
	write_file("conf.d/one", "right");
	wait_until(says("right"));
	ck_assert_uint_eq(text_count(daemon_log(), "Reconfigured"), 1);
}
END_TEST

START_TEST(the_watch_ends_with_a_reload_that_says_no)
{
	start_watching("");
	configuration_clear();
	configure("includedir %s\n", place_path("conf.d"));
	configuration_write();
	daemon_wait_log("Reconfigured");
	write_file("conf.d/one", "first");
	configure("# another line\n");
	daemon_reload();
	ck_assert(says("first"));
	ck_assert_uint_eq(text_count(daemon_log(), "Reconfigured"), 2);
}
END_TEST

Suite *config_watch_suite(void)
{
	Suite *suite = suite_create("config_watch");
	TCase *tcase = daemon_tcase(suite, "watch");

	tcase_add_test(tcase, a_file_that_is_written_changed_and_removed_is_noticed);
	tcase_add_test(tcase, a_file_that_is_renamed_is_noticed);
	tcase_add_loop_test(tcase, a_link_is_noticed, 0, 2);
	tcase_add_loop_test(tcase, another_directory_of_the_name_is_noticed, 0, 2);
	tcase_add_test(tcase, what_changes_before_it_is_watched_is_noticed);
	tcase_add_test(tcase, the_main_file_is_watched_too);
	tcase_add_test(tcase, a_broken_file_keeps_what_runs);
	tcase_add_test(tcase, names_that_includedir_passes_over_do_not_matter);
	tcase_add_test(tcase, the_watch_ends_with_a_reload_that_says_no);
	return suite;
}
