#include "monitor/launch_failure.h"

#include <check.h>
#include <errno.h>

static char jail; /* nobody looks into it */

enum { NO_JAIL, JAIL };

#define LIMIT \
	"No space left on device: a limit of namespaces in /proc/sys/user is reached, " \
	"see namespaces(7)"

static const struct {
	int has_jail;
	const char *step;
	bool no_process;
	int error;
	bool is_passing;
	const char *reason;
} failures[] = {
	{ NO_JAIL, "fork", true, EAGAIN, true, "Resource temporarily unavailable" },
	{ NO_JAIL, "fork", true, ENOMEM, true, "Cannot allocate memory" },
	{ NO_JAIL, "fork", true, EPERM, false, "Operation not permitted" },
	{ NO_JAIL, "exec", false, EAGAIN, false, "Resource temporarily unavailable" },
	{ NO_JAIL, "cgroup", false, ENOSPC, false, "No space left on device" },
	{ JAIL, "fork", true, EAGAIN, true, "Resource temporarily unavailable" },
	{ JAIL, "fork", true, ENOSPC, true, LIMIT },
	{ JAIL, "network", false, ENOSPC, false, LIMIT },
	{ JAIL, "mounts", false, ENOSPC, false, LIMIT },
	{ JAIL, "mounts", false, ENOENT, false, "No such file or directory" },
	{ JAIL, "cgroup", false, ENOSPC, false, "No space left on device" },
	{ JAIL, "descriptors", false, ENOSPC, false, "No space left on device" },
};

START_TEST(it_is_said_what_failed_and_whether_it_may_pass)
{
	const struct program_order order = {
		.jail = failures[_i].has_jail ? (struct jail *)&jail : NULL,
		.failed_step = failures[_i].step,
		.no_process = failures[_i].no_process,
		.failure = failures[_i].error,
	};

	ck_assert_int_eq(launch_failure_is_passing(&order), failures[_i].is_passing);
	ck_assert_str_eq(launch_failure_reason(&order), failures[_i].reason);
}
END_TEST

Suite *launch_failure_suite(void);

Suite *launch_failure_suite(void)
{
	Suite *suite = suite_create("launch_failure");
	TCase *tests = tcase_create("launch_failure");

	tcase_add_loop_test(tests, it_is_said_what_failed_and_whether_it_may_pass, 0,
			    sizeof failures / sizeof failures[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
