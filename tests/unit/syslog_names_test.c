#include "base/syslog_names.h"

#include <check.h>
#include <syslog.h>

static const struct {
	const char *name;
	int facility, level; /* -1: unknown name */
} names[] = {
	{ "daemon", LOG_DAEMON, -1 },
	{ "DAEMON", LOG_DAEMON, -1 },
	{ "auth", LOG_AUTH, -1 },
	{ "authpriv", LOG_AUTHPRIV, -1 },
	{ "user", LOG_USER, -1 },
	{ "mail", LOG_MAIL, -1 },
	{ "local0", LOG_LOCAL0, -1 },
	{ "local7", LOG_LOCAL7, -1 },
	{ "ftp", LOG_FTP, -1 },
	{ "kern", LOG_KERN, -1 },
	{ "mark", -1, -1 },
	{ "local8", -1, -1 },
	{ "emerg", -1, LOG_EMERG },
	{ "alert", -1, LOG_ALERT },
	{ "crit", -1, LOG_CRIT },
	{ "err", -1, LOG_ERR },
	{ "warning", -1, LOG_WARNING },
	{ "notice", -1, LOG_NOTICE },
	{ "info", -1, LOG_INFO },
	{ "Info", -1, LOG_INFO },
	{ "debug", -1, LOG_DEBUG },
	{ "cron", LOG_CRON, -1 },
	{ "lpr", LOG_LPR, -1 },
	{ "news", LOG_NEWS, -1 },
	{ "syslog", LOG_SYSLOG, -1 },
	{ "uucp", LOG_UUCP, -1 },
	{ "security", LOG_AUTH, -1 },
	{ "error", -1, LOG_ERR },
	{ "panic", -1, LOG_EMERG },
	{ "warn", -1, LOG_WARNING },
	{ "none", -1, -1 },
	{ "", -1, -1 },
	{ "nonsense", -1, -1 },
};

START_TEST(knows_the_names)
{
	ck_assert_msg(syslog_facility(names[_i].name) == names[_i].facility, "facility %s is %d",
		      names[_i].name, syslog_facility(names[_i].name));
	ck_assert_msg(syslog_level(names[_i].name) == names[_i].level, "level %s is %d",
		      names[_i].name, syslog_level(names[_i].name));
}
END_TEST

Suite *syslog_names_suite(void)
{
	Suite *suite = suite_create("syslog_names");
	TCase *tests = tcase_create("syslog_names");

	tcase_add_loop_test(tests, knows_the_names, 0, (int)(sizeof names / sizeof names[0]));
	suite_add_tcase(suite, tests);
	return suite;
}
