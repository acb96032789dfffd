#include "monitor/frontend_user.h"

#include "support/daemon.h"
#include "support/own_etc.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

enum { NUMBERS = FRONTEND_UID_LAST - FRONTEND_UID_FIRST + 1, SERVICES_MAX = NUMBERS };

static struct service_settings settings[SERVICES_MAX], *services[SERVICES_MAX];
static struct daemon_settings whole;
static struct generation generation = { .number = 1, .services = services };

/* One more service, which runs as that user. */
static void add(uid_t uid)
{
	static char id[] = "zz", user[] = "somebody";
	uint32_t i = generation.count++;

	settings[i] = (struct service_settings){ .id = id, .user = user, .uid = uid };
	services[i] = &settings[i];
}

static void add_all_but(uid_t left)
{
	for (uid_t uid = FRONTEND_UID_FIRST; uid <= FRONTEND_UID_LAST; uid++)
		if (uid != left)
			add(uid);
}

static void setup(void)
{
	generation.count = 0;
	whole = (struct daemon_settings){ .user_uid = 0 };
	own_etc_enter();
	own_etc_write("nsswitch.conf", "passwd: files\ngroup: files\n");
}

static bool is_in_range(uid_t uid)
{
	return uid >= FRONTEND_UID_FIRST && uid <= FRONTEND_UID_LAST;
}

START_TEST(is_a_number_that_nobody_has)
{
	struct process_user user;

	add(0);
	add(1000);
	ck_assert_int_eq(frontend_user_init(&whole, &generation), 0);
	ck_assert(frontend_user_choose(&user));
	ck_assert(is_in_range(user.uid) && user.gid == user.uid);
}
END_TEST

static const uid_t last[] = { FRONTEND_UID_FIRST, FRONTEND_UID_FIRST + 1, FRONTEND_UID_LAST };

START_TEST(is_the_only_number_that_no_service_has)
{
	struct process_user user;

	add_all_but(last[_i]);
	ck_assert_int_eq(frontend_user_init(&whole, &generation), 0);
	ck_assert(frontend_user_choose(&user));
	ck_assert_uint_eq(user.uid, last[_i]);
}
END_TEST

START_TEST(is_nobody_when_every_number_is_taken)
{
	add_all_but(0);
	ck_assert_int_eq(frontend_user_init(&whole, &generation), -1);
}
END_TEST

static const struct {
	const char *file, *text;
} accounts[] = {
	{ "passwd", "x:x:61184:1::/:/bin/false\n" },
	{ "group", "x:x:61184:\n" },
};

START_TEST(is_no_number_that_an_account_or_a_group_has)
{
	own_etc_write(accounts[_i].file, accounts[_i].text);
	add_all_but(FRONTEND_UID_FIRST);
	ck_assert_int_eq(frontend_user_init(&whole, &generation), -1);
}
END_TEST

START_TEST(is_the_one_that_daemon_names)
{
	struct process_user user;

	whole.user_uid = 900;
	whole.user_gid = 901;
	add_all_but(0);
	ck_assert_int_eq(frontend_user_init(&whole, &generation), 0);
	ck_assert(frontend_user_choose(&user));
	ck_assert_uint_eq(user.uid, 900);
	ck_assert_uint_eq(user.gid, 901);
}
END_TEST

START_TEST(is_whoever_started_the_daemon_without_root)
{
	struct process_user user;

	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(54321), 0);
	add_all_but(0);
	ck_assert_int_eq(frontend_user_init(&whole, &generation), 0);
	ck_assert(!frontend_user_choose(&user));
	ck_assert_uint_eq(user.uid, 0);
}
END_TEST

Suite *frontend_user_suite(void)
{
	Suite *suite = suite_create("frontend_user");
	TCase *root = tcase_create("root"), *any = tcase_create("any");

	tcase_add_test(any, is_whoever_started_the_daemon_without_root);
	suite_add_tcase(suite, any);
	if (!is_superuser() || !own_etc_is_allowed())
		return suite;
	tcase_add_checked_fixture(root, setup, NULL);
	tcase_add_test(root, is_a_number_that_nobody_has);
	tcase_add_loop_test(root, is_the_only_number_that_no_service_has, 0,
			    sizeof last / sizeof last[0]);
	tcase_add_test(root, is_nobody_when_every_number_is_taken);
	tcase_add_loop_test(root, is_no_number_that_an_account_or_a_group_has, 0,
			    sizeof accounts / sizeof accounts[0]);
	tcase_add_test(root, is_the_one_that_daemon_names);
	suite_add_tcase(suite, root);
	return suite;
}
