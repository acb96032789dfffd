#include "monitor/processes.h"

#include <check.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define REST \
	" 34816 12 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4711 1000000 100 18446744073709551615 1\n"

static const struct {
	const char *text;
	struct process process; /* pid 0: the text is refused */
} texts[] = {
	{ "12 (cat) S 1 12 11" REST, { 12, 1, 12, 11, 4711, false, false } },
	{ "12 (cat) Z 1 12 11" REST, { 12, 1, 12, 11, 4711, true, false } },
	{ "12 (cat) T 1 12 11" REST, { 12, 1, 12, 11, 4711, false, true } },
	{ "12 (cat) t 1 12 11" REST, { 12, 1, 12, 11, 4711, false, true } },
	{ "12 (a) S 7 8 9) R 1 12 11" REST, { 12, 1, 12, 11, 4711, false, false } },
	{ "12 ()) X 1 12 11" REST, { 12, 1, 12, 11, 4711, true, false } },
	{ "12 (cat) S 1 12 11 0", { .pid = 0 } },
	{ "12 cat S 1 12 11" REST, { .pid = 0 } },
	{ "(cat) S 1 12 11" REST, { .pid = 0 } },
	{ "", { .pid = 0 } },
};

START_TEST(reads_a_line)
{
	const struct process *wanted = &texts[_i].process;
	struct process process;

	ck_assert(process_parse(texts[_i].text, &process) == (wanted->pid != 0));
	if (wanted->pid == 0)
		return;
	ck_assert_int_eq(process.pid, wanted->pid);
	ck_assert_int_eq(process.parent, wanted->parent);
	ck_assert_int_eq(process.group, wanted->group);
	ck_assert_int_eq(process.session, wanted->session);
	ck_assert_uint_eq(process.started, wanted->started);
	ck_assert(process.is_dead == wanted->is_dead);
	ck_assert(process.is_stopped == wanted->is_stopped);
}
END_TEST

static const struct {
	const char *text;
	bool is_read;
	struct process_hold hold;
} holds[] = {
	{ "Name:\tcat\nState:\tD (disk sleep)\nPid:\t7\nTracerPid:\t0\nUid:\t0\n",
	  true,
	  { 'D', 0 } },
	{ "Name:\tcat\nState:\tZ (zombie)\nPPid:\t1\nTracerPid:\t4711\n", true, { 'Z', 4711 } },
	{ "Name:\tState: X\\nTracerPid: 5\nState:\tS\nTracerPid:\t6\n", true, { 'S', 6 } },
	{ "Name:\tcat\nState:\tD (disk sleep)\nPid:\t7\n", false, { 0, 0 } },
	{ "Name:\tcat\nTracerPid:\t7\n", false, { 0, 0 } },
	{ "Name:\tcat\nState:\tS\nTracerPid:\tx\n", false, { 0, 0 } },
	{ "", false, { 0, 0 } },
};

START_TEST(reads_what_may_keep_a_process)
{
	struct process_hold hold;

	ck_assert(process_hold_parse(holds[_i].text, &hold) == holds[_i].is_read);
	if (!holds[_i].is_read)
		return;
	ck_assert_int_eq(hold.state, holds[_i].hold.state);
	ck_assert_int_eq(hold.tracer, holds[_i].hold.tracer);
}
END_TEST

START_TEST(nothing_keeps_this_process)
{
	struct process_hold hold;

	ck_assert(process_hold_read(getpid(), &hold));
	ck_assert_int_eq(hold.state, 'R');
	ck_assert_int_eq(hold.tracer, 0);
	ck_assert(!process_hold_read(0, &hold));
}
END_TEST

START_TEST(finds_this_process)
{
	struct processes all;
	const struct process *self;

	ck_assert_int_eq(processes_read(&all), 0);
	self = processes_find(&all, getpid());
	ck_assert_ptr_nonnull(self);
	ck_assert_int_eq(self->parent, getppid());
	ck_assert_int_eq(self->session, getsid(0));
	for (size_t i = 1; i < all.count; i++)
		ck_assert_int_lt(all.list[i - 1].pid, all.list[i].pid);
	ck_assert_ptr_null(processes_find(&all, 0));
	processes_clear(&all);
	ck_assert_ptr_null(processes_find(&all, getpid()));
}
END_TEST

/* Another process has the number now. */
START_TEST(spares_a_process_that_began_at_another_time)
{
	struct processes all;
	struct process process;
	pid_t pid = fork();
	int status;

	while (pid == 0)
		pause();
	ck_assert_int_eq(processes_read(&all), 0);
	process = *processes_find(&all, pid);
	processes_clear(&all);
	process.started--;
	ck_assert(!process_signal(&process, SIGKILL));
	process.started++;
	ck_assert(process_signal(&process, SIGUSR1));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WTERMSIG(status), SIGUSR1);
	ck_assert(!process_signal(&process, SIGKILL));
}
END_TEST

Suite *processes_suite(void)
{
	Suite *suite = suite_create("processes");
	TCase *tests = tcase_create("processes");

	tcase_add_loop_test(tests, reads_a_line, 0, sizeof texts / sizeof texts[0]);
	tcase_add_loop_test(tests, reads_what_may_keep_a_process, 0,
			    sizeof holds / sizeof holds[0]);
	tcase_add_test(tests, nothing_keeps_this_process);
	tcase_add_test(tests, finds_this_process);
	tcase_add_test(tests, spares_a_process_that_began_at_another_time);
	suite_add_tcase(suite, tests);
	return suite;
}
