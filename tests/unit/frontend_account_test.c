/* Whom the frontend runs as, and that nobody else runs as the same user. */
#include "config/frontend_account.h"
#include "support/configuration.h"
#include "support/own_etc.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

#define ACCOUNTS "root:x:0:0::/:/bin/sh\nnobody:x:99:99::/:\nweb:x:33:34::/:\nalmost:x:35:0::/:\n"

enum { OWN_UID = 900, OWN_GID = 901 };

static void make_system(void)
{
	own_etc_enter();
	own_etc_write("passwd", ACCOUNTS);
	configuration_make();
}

static void make_account(const char *account)
{
	own_etc_write("passwd", textf(ACCOUNTS "_usherd:x:%s::/:\n", account));
}

static const struct daemon_settings *load_daemon(const char *user)
{
	const struct settings *settings = configuration_load("daemon\n{\nuser = %s\n}\n", user);

	ck_assert_msg(settings != NULL, "%s", configuration_complaints_text());
	return &settings->daemon;
}

static const struct {
	const char *user;
	uid_t uid;
	gid_t gid;
} taken[] = { { "web", 33, 34 }, { "33", 33, 34 }, { "61234", 61234, 61234 } };

START_TEST(a_user_is_taken)
{
	const struct daemon_settings *daemon = load_daemon(taken[_i].user);

	ck_assert_str_eq(daemon->user, taken[_i].user);
	ck_assert_uint_eq(daemon->user_uid, taken[_i].uid);
	ck_assert_uint_eq(daemon->user_gid, taken[_i].gid);
}
END_TEST

static const struct {
	const char *user, *said;
} refused[] = {
	{ "root", "user: the frontend can't run as root: it is root; name a user that nothing" },
	{ "0", "the frontend can't run as 0: it is root" },
	{ "nobody", "the frontend can't run as nobody: others run as nobody too; name a user" },
	{ "99", "others run as nobody too" },
	{ "65534", "others run as nobody too" },
	{ "almost", "the frontend can't run as almost: its group is root's; name a user" },
	{ "stranger", "user: there is no user \"stranger\"" },
	{ "4294967295", "there is no user \"4294967295\"" },
};

START_TEST(a_user_whom_others_run_as_is_refused)
{
	ck_assert_ptr_null(configuration_load("daemon\n{\nuser = %s\n}\n", refused[_i].user));
	ck_assert_msg(configuration_said(ERROR, 3, refused[_i].said), "%s: %s", refused[_i].user,
		      configuration_complaints_text());
	ck_assert_uint_eq(configuration_complaints(ERROR), 1);
}
END_TEST

START_TEST(without_a_name_it_is_the_account_if_there_is_one)
{
	const struct settings *settings = configuration_load("# nothing\n");

	ck_assert_uint_eq(settings->daemon.user_uid, 0);
	make_account("900:901");
	settings = configuration_load_again();
	ck_assert_ptr_null(settings->daemon.user);
	ck_assert_uint_eq(settings->daemon.user_uid, OWN_UID);
	ck_assert_uint_eq(settings->daemon.user_gid, OWN_GID);
	ck_assert_uint_eq(load_daemon("web")->user_uid, 33);
}
END_TEST

START_TEST(an_account_that_is_root_is_refused)
{
	bool as_root = geteuid() == 0;

	make_account("0:0");
	ck_assert(!configuration_load("# nothing\n") == as_root);
	ck_assert(configuration_said(
			  ERROR, 0,
			  "the frontend can't run as _usherd: it is root; "
			  "change the account, or name another in a daemon entry (user)") ==
		  as_root);
	ck_assert_uint_eq(load_daemon("web")->user_uid, 33);
}
END_TEST

/* --- services ------------------------------------------------------------------------ */

#define SERVICE(lines) \
	"service a\n{\ntype = UNLISTED\nport = 0\nsocket_type = stream\nwait = no\n" lines "}\n"
#define PROGRAM "server = /bin/sh\n"

static const struct {
	const char *services, *daemon;
	uid_t running;
	const char *named; /* NULL: the service is as it should be */
} services[] = {
	{ SERVICE(PROGRAM "user = 33\n"), "user = web\n", 0, "33" },
	{ SERVICE(PROGRAM "user = web\n"), "user = 33\n", 0, "web" },
	{ SERVICE(PROGRAM "user = _usherd\n"), "", 0, "_usherd" },
	{ SERVICE(PROGRAM "user = 61300\n"), "", 61300, "61300" },
	{ SERVICE(PROGRAM "user = web\n"), "user = web\n", 61300, "web" },
	{ SERVICE(PROGRAM "user = 61300\n"), "user = web\n", 61300, "61300" },
	{ SERVICE(PROGRAM "user = _usherd\n"), "user = web\n", 0, NULL },
	{ SERVICE(PROGRAM "user = web\n"), "", 61300, NULL },
	{ SERVICE(PROGRAM "user = root\n"), "", 0, NULL },
	{ SERVICE("redirect = 127.0.0.1 9\nuser = web\n"), "user = web\n", 0, NULL },
};

START_TEST(no_program_runs_as_the_frontend)
{
	const char *said = textf("user: %s is the user of the frontend, which this program could "
				 "then end; name another one",
				 services[_i].named);
	bool as_root = geteuid() == 0;

	make_account("900:901");
	load_options.frontend = services[_i].running;
	configuration_load("%sdaemon\n{\n%s}\n", services[_i].services, services[_i].daemon);
	if (!services[_i].named) {
		ck_assert_ptr_nonnull(configuration_service("a"));
		ck_assert_uint_eq(configuration_complaints(ERROR), 0);
		ck_assert(!text_matches(configuration_complaints_text(), "user of the frontend"));
		return;
	}
	ck_assert(!configuration_service("a") == as_root);
	ck_assert_msg(configuration_said(as_root ? ERROR : ADVICE, 1, said), "%s",
		      configuration_complaints_text());
}
END_TEST

/* --- reloads ------------------------------------------------------------------------- */

static const struct {
	const char *user; /* NULL: none is named */
	uid_t running;
	bool is_other;
} reloads[] = {
	{ "web", 61300, true }, { "web", 33, false },   { "web", 0, false },
	{ NULL, 33, true },     { NULL, 61184, false }, { NULL, 65519, false },
	{ NULL, 61183, true },  { NULL, 65520, true },
};

START_TEST(a_running_frontend_stays_who_it_is)
{
	const char *line = reloads[_i].user ? textf("user = %s\n", reloads[_i].user) : "";

	load_options.frontend = reloads[_i].running;
	ck_assert_ptr_nonnull(configuration_load("daemon\n{\n%s}\n", line));
	ck_assert(reloads[_i].is_other ==
		  configuration_said(WARNING, reloads[_i].user ? 3 : 0,
				     textf("user: the frontend runs as user %u until usherd is "
					   "started again",
					   (unsigned)reloads[_i].running)));
}
END_TEST

Suite *frontend_account_suite(void);

Suite *frontend_account_suite(void)
{
	Suite *suite = suite_create("frontend_account");
	TCase *tests;

	if (!own_etc_is_allowed())
		return suite;
	tests = tcase_create("frontend_account");
	tcase_add_checked_fixture(tests, make_system, configuration_remove);
	tcase_add_loop_test(tests, a_user_is_taken, 0, sizeof taken / sizeof taken[0]);
	tcase_add_loop_test(tests, a_user_whom_others_run_as_is_refused, 0,
			    sizeof refused / sizeof refused[0]);
	tcase_add_test(tests, without_a_name_it_is_the_account_if_there_is_one);
	tcase_add_test(tests, an_account_that_is_root_is_refused);
	tcase_add_loop_test(tests, no_program_runs_as_the_frontend, 0,
			    sizeof services / sizeof services[0]);
	tcase_add_loop_test(tests, a_running_frontend_stays_who_it_is, 0,
			    sizeof reloads / sizeof reloads[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
