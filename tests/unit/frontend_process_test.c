#include "monitor/frontend_process.h"

#include "base/loop.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned spawned;

/* A process that does nothing, and ends with the test. */
static pid_t spawn(int channel)
{
	pid_t pid = fork();

	(void)channel;
	spawned++;
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static pid_t spawn_nothing(int channel)
{
	(void)channel;
	errno = EAGAIN;
	return -1;
}

static void on_event(void)
{
}

static int fill_start(struct start_message *start)
{
	*start = (struct start_message){ .monitor = (int32_t)getpid() };
	return -1;
}

static const struct frontend_events events = {
	.ready = on_event,
	.gone = on_event,
	.start = fill_start,
};

static void setup(void)
{
	ck_assert_int_eq(loop_init(), 0);
	frontend_process_start_by(spawn);
}

static void teardown(void)
{
	pid_t pid = frontend_process_pid();

	frontend_process_kill();
	if (pid > 0)
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	loop_free();
}

START_TEST(starts_the_process_that_was_prepared)
{
	pid_t pid;

	ck_assert_int_eq(frontend_process_prepare(), 0);
	pid = frontend_process_pid();
	ck_assert_int_eq(kill(pid, 0), 0);
	ck_assert_int_eq(frontend_process_start(&events), 0);
	ck_assert_int_eq(frontend_process_pid(), pid);
	ck_assert_uint_eq(spawned, 1);
	frontend_process_discard(); /* not any more */
	ck_assert_int_eq(kill(pid, 0), 0);
}
END_TEST

START_TEST(ends_the_process_that_was_not_started)
{
	pid_t pid;

	frontend_process_discard(); /* there is none */
	ck_assert_int_eq(frontend_process_prepare(), 0);
	pid = frontend_process_pid();
	frontend_process_discard();
	ck_assert_int_eq(frontend_process_pid(), 0);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
}
END_TEST

START_TEST(tries_again_when_there_was_no_process)
{
	frontend_process_start_by(spawn_nothing);
	ck_assert_int_eq(frontend_process_prepare(), -1);
	ck_assert_int_eq(frontend_process_pid(), 0);
	frontend_process_start_by(spawn);
	ck_assert_int_eq(frontend_process_start(&events), 0);
	ck_assert_uint_eq(spawned, 1);
}
END_TEST

Suite *frontend_process_suite(void);

Suite *frontend_process_suite(void)
{
	Suite *suite = suite_create("frontend_process");
	TCase *tests = tcase_create("frontend_process");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, starts_the_process_that_was_prepared);
	tcase_add_test(tests, ends_the_process_that_was_not_started);
	tcase_add_test(tests, tries_again_when_there_was_no_process);
	suite_add_tcase(suite, tests);
	return suite;
}
