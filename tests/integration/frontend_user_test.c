/* The user that the frontend runs as. No program of a service runs as the same user. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/isolation.h"
#include "support/own_etc.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SOME_USER = 54321, NAMED_USER = 61234, OTHER_USER = 61235 };

#define ID "server = /usr/bin/id\nserver_args = -u\n"

static pid_t frontend(void)
{
	pid_t pid;

	wait_until((pid = process_frontend(daemon_pid())) > 0);
	return pid;
}

static void name_user(int user)
{
	configure("daemon\n{\nuser = %d\n}\n", user);
}

static void check_ids(const char *name, int id)
{
	const char *ids = textf("%d\t%d\t%d\t%d", id, id, id, id);

	ck_assert_str_eq(process_status(frontend(), name), ids);
}

static int frontend_uid(void)
{
	return atoi(process_status(frontend(), "Uid"));
}

static bool is_another_than(pid_t before)
{
	pid_t now = process_frontend(daemon_pid());

	return now > 0 && now != before;
}

static void replace_frontend(void)
{
	pid_t before = frontend();

	ck_assert_int_eq(kill(before, SIGKILL), 0);
	wait_until(is_another_than(before));
}

START_TEST(every_frontend_runs_as_the_named_user)
{
	int port;

	name_user(NAMED_USER);
	port = add_service("zzone", ID "user = %d\n", SOME_USER);
	daemon_start();
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(ask(port, ""), textf("%d\n", SOME_USER));
		check_ids("Uid", NAMED_USER);
		check_ids("Gid", NAMED_USER);
		ck_assert_str_eq(process_status(frontend(), "Groups"), "");
		replace_frontend();
	}
}
END_TEST

START_TEST(a_user_who_is_root_keeps_the_daemon_from_starting)
{
	struct outcome outcome;

	configure("daemon\n{\nuser = root\n}\n");
	add_service("zzone", ID);
	configuration_write();
	outcome =
		daemon_run((const char *const[]){ "-dontfork", "-f", configuration_path(), NULL });
	ck_assert_int_eq(outcome.status, 1);
	ck_assert(text_matches(outcome.errors, textf("%s:3: user: the frontend can't run as root: "
						     "it is root; name a user that nothing else",
						     configuration_path())));
}
END_TEST

START_TEST(the_name_is_printed)
{
	name_user(NAMED_USER);
	add_service("zzone", ID);
	configuration_write();
	ck_assert(text_matches(daemon_run((const char *const[]){ "-print", "-f",
								 configuration_path(), NULL })
				       .output,
			       "^daemon\n\\{\n\tuser            = 61234\n\\}$"));
}
END_TEST

START_TEST(check_tells_whose_program_runs_as_the_named_user)
{
	struct outcome outcome;

	add_service("zzone", ID "user = %d\n", NAMED_USER);
	name_user(NAMED_USER);
	configuration_write();
	outcome = daemon_run((const char *const[]){ "-check", "-f", configuration_path(), NULL });
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.output, "usherd\\.conf:1: error: service zzone: user: "
						   "61234 is the user of the frontend"),
		      "%s", outcome.output);
}
END_TEST

/* --- reloads ------------------------------------------------------------------------- */

START_TEST(a_new_service_of_the_frontends_user_is_not_started)
{
	int port = add_service("zzone", ID), uid, same;

	daemon_start();
	uid = frontend_uid();
	same = add_service("zzsame", ID "user = %d\n", uid);
	daemon_reload();
	daemon_wait_log("ERROR: .*usherd\\.conf:%d: service zzsame: user: %d is the user of the "
			"frontend, which this program could then end; name another one$",
			configuration_line("service zzsame"), uid);
	ck_assert(client_is_refused(NULL, same));
	ck_assert_str_eq(ask(port, ""), "0\n");
}
END_TEST

static void add_one(int port, int user)
{
	configuration_clear();
	add_service("zzone", ID "port = %d\nuser = %d\n", port, user);
}

START_TEST(a_service_that_runs_does_not_become_the_frontends_user)
{
	int port = port_take();

	add_one(port, SOME_USER);
	daemon_start();
	add_one(port, frontend_uid());
	daemon_reload();
	daemon_wait_log("service zzone: keeping the running version");
	ck_assert_str_eq(ask(port, ""), textf("%d\n", SOME_USER));
	add_one(port, OTHER_USER);
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), textf("%d\n", OTHER_USER));
}
END_TEST

START_TEST(a_reload_does_not_change_the_frontends_user)
{
	int port = port_take();

	add_one(port, SOME_USER);
	name_user(NAMED_USER);
	daemon_start();
	add_one(port, SOME_USER);
	name_user(OTHER_USER);
	daemon_reload();
	daemon_wait_log("WARNING: .*usherd\\.conf:%d: user: the frontend runs as user %d until "
			"usherd is started again, which a reload does not change$",
			configuration_line(textf("^user = %d", OTHER_USER)), NAMED_USER);
	replace_frontend();
	/* Who answers has become its user. */
	ck_assert_str_eq(ask(port, ""), textf("%d\n", SOME_USER));
	check_ids("Uid", NAMED_USER);
	daemon_stop();
	daemon_start();
	ck_assert_str_eq(ask(port, ""), textf("%d\n", SOME_USER));
	check_ids("Uid", OTHER_USER);
}
END_TEST

/* The current user, and the one after the next start. */
START_TEST(after_a_change_both_users_are_refused)
{
	int port, first, second;

	name_user(NAMED_USER);
	port = add_service("zzone", ID);
	daemon_start();
	configuration_clear();
	name_user(OTHER_USER);
	add_service("zzone", ID "port = %d\n", port);
	first = add_service("zzfirst", ID "user = %d\n", NAMED_USER);
	second = add_service("zzsecond", ID "user = %d\n", OTHER_USER);
	daemon_reload();
	ck_assert(client_is_refused(NULL, first));
	ck_assert(client_is_refused(NULL, second));
	ck_assert_str_eq(ask(port, ""), "0\n");
}
END_TEST

/* --- the account --------------------------------------------------------------------- */

static void make_account(void)
{
	own_etc_enter();
	own_etc_write("passwd", "root:x:0:0::/:/bin/sh\n_usherd:x:900:901::/:\n");
	own_etc_write("group", "root:x:0:\n_usherd:x:901:\n");
	own_etc_write("nsswitch.conf", "passwd: files\ngroup: files\n");
}

START_TEST(without_a_name_it_is_the_account)
{
	int port, same;

	make_account();
	port = add_service("zzone", ID);
	same = add_service("zzsame", ID "user = _usherd\n");
	daemon_start();
	check_ids("Uid", 900);
	check_ids("Gid", 901);
	ck_assert(client_is_refused(NULL, same));
	daemon_wait_log("ERROR: .*service zzsame: user: _usherd is the user of the frontend");
	ck_assert_str_eq(ask(port, ""), "0\n");
}
END_TEST

/* It could never start. */
START_TEST(without_other_users_the_daemon_does_not_start)
{
	add_service("zzcat", CAT);
	configuration_write();
	ck_assert_int_ne(system(textf("unshare -r %s -dontfork -f %s -filelog %s 2>%s",
				      getenv("USHERD"), configuration_path(), place_path("log"),
				      place_path("errors"))),
			 0);
	ck_assert(text_matches(place_read("log"),
			       "ERROR: the frontend can't run as user [0-9]+ and group [0-9]+: "
			       "this user namespace does not have them"));
	ck_assert(!text_matches(place_read("log"), "Started working"));
}
END_TEST

static int have_no_users(void)
{
	return unshare(CLONE_NEWUSER);
}

Suite *frontend_user_suite(void);

Suite *frontend_user_suite(void)
{
	Suite *suite = suite_create("frontend_user");
	TCase *start, *reload, *account;

	if (!is_superuser())
		return suite;
	start = daemon_tcase(suite, "start");
	tcase_add_test(start, every_frontend_runs_as_the_named_user);
	tcase_add_test(start, a_user_who_is_root_keeps_the_daemon_from_starting);
	tcase_add_test(start, the_name_is_printed);
	tcase_add_test(start, check_tells_whose_program_runs_as_the_named_user);
	if (isolation_is_allowed(have_no_users))
		tcase_add_test(start, without_other_users_the_daemon_does_not_start);
	reload = daemon_tcase(suite, "reload");
	tcase_add_test(reload, a_new_service_of_the_frontends_user_is_not_started);
	tcase_add_test(reload, a_service_that_runs_does_not_become_the_frontends_user);
	tcase_add_test(reload, a_reload_does_not_change_the_frontends_user);
	tcase_add_test(reload, after_a_change_both_users_are_refused);
	account = daemon_tcase(suite, "account");
	if (own_etc_is_allowed())
		tcase_add_test(account, without_a_name_it_is_the_account);
	return suite;
}
