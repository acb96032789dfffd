/* A frontend that lives and does nothing. The kernel's freezer makes one: unlike SIGSTOP, it looks
 * like a process that never comes back to its loop. */
#include "base/cgroup_mounts.h"
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/kernel.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECONDS_MAX = 90 };

static void write_in(const char *directory, const char *name, const char *text)
{
	FILE *file = fopen(textf("%s/%s", directory, name), "we");

	ck_assert(file && fputs(text, file) >= 0);
	ck_assert_int_eq(fclose(file), 0);
}

static const char *freezer(void)
{
	char path[PATH_MAX];

	ck_assert(cgroup_mounts_own(NULL, path));
	return textf("%s/zzfrozen-%d", path, (int)getpid());
}

/* It takes longer than other waits. */
static void wait_for_its_end(pid_t frontend)
{
	const char *line = textf("ERROR: the frontend \\(process %d\\) has not answered for 30 s; "
				 "it is killed$",
				 (int)frontend);
	struct deadline deadline = deadline_in(1000 * SECONDS_MAX);

	while (!text_matches(daemon_log(), line))
		deadline_pause(&deadline, line, __FILE__, __LINE__);
}

START_TEST(another_one_takes_its_place)
{
	int echo = add_service("echo", "type = INTERNAL UNLISTED\nuser = root\n");
	int port = add_service("zzcat", CAT), held, silent;
	const char *frozen = freezer();
	pid_t frontend;

	daemon_start();
	held = client_hold(port);
	silent = client_hold(echo);
	frontend = process_frontend(daemon_pid());
	ck_assert_int_eq(mkdir(frozen, 0755), 0);
	write_in(frozen, "cgroup.procs", textf("%d", (int)frontend));
	write_in(frozen, "cgroup.freeze", "1");
	wait_for_its_end(frontend);
	daemon_wait_log("ERROR: the frontend \\(process %d\\) died of signal 9 ", (int)frontend);
	ck_assert_str_eq(ask(echo, "served"), "served");
	ck_assert_int_ne(process_frontend(daemon_pid()), frontend);
	client_expect_end(silent);
	client_ping(held);
	wait_until(rmdir(frozen) == 0);
}
END_TEST

Suite *frontend_hang_suite(void);

Suite *frontend_hang_suite(void)
{
	Suite *suite = suite_create("frontend_hang");
	TCase *tcase = daemon_tcase_lasting(suite, "frontend_hang", SECONDS_MAX);

	if (kernel_has_cgroups())
		tcase_add_test(tcase, another_one_takes_its_place);
	return suite;
}
