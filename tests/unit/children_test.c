#include "monitor/children.h"

#include "base/clock.h"
#include "base/loop.h"
#include "config/generation.h"
#include "config/settings.h"
#include "support/deadline.h"
#include "support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned gone; /* sessions that ended later than their programs */

static void on_gone(struct child *child)
{
	ck_assert(child->is_gone);
	gone++;
}

static unsigned held; /* sessions that SIGKILL did not end in time */

static void on_held(const struct child *child)
{
	ck_assert(child->is_held);
	held++;
}

static bool is_spared(pid_t pid)
{
	(void)pid;
	return false;
}

static void setup(void)
{
	static const struct child_events events = { .gone = on_gone, .held = on_held };

	ck_assert_int_eq(loop_init(), 0);
	children_init(&events, is_spared);
}

static struct child *make(uint64_t session, pid_t pid)
{
	struct child *child = child_new();

	ck_assert_ptr_nonnull(child);
	child->session = session;
	child->pid = pid;
	return child;
}

static struct child *add(uint64_t session, pid_t pid)
{
	struct child *child = make(session, pid);

	ck_assert_int_eq(child_add(child), 0);
	return child;
}

/* --- who is there ------------------------------------------------------------------ */

START_TEST(is_found_by_process_until_it_is_reaped_and_by_session_until_it_is_removed)
{
	struct child *child = add(1ULL << 40, 70001), *other = add(2, 70002);

	ck_assert_ptr_eq(child_of_process(70001), child);
	ck_assert_ptr_eq(child_of_session(1ULL << 40), child);
	ck_assert_ptr_null(child_of_session(0));
	child_reaped(child, 256);
	ck_assert(child->has_ended);
	ck_assert(child->is_gone);
	ck_assert_int_eq(child->status, 256);
	ck_assert_ptr_null(child_of_process(70001));
	ck_assert_ptr_eq(child_of_session(1ULL << 40), child);
	ck_assert_uint_eq(children_count(), 2);
	child_remove(child);
	ck_assert_ptr_null(child_of_session(1ULL << 40));
	child_remove(other);
	ck_assert_uint_eq(children_count(), 0);
}
END_TEST

static unsigned visits;

static void visit_and_remove(struct child *child)
{
	visits++;
	if (child->session % 2 == 0)
		child_remove(child);
}

START_TEST(may_be_removed_while_all_are_visited)
{
	for (int i = 0; i < 100; i++)
		add((uint64_t)i, 70000 + i);
	children_each(visit_and_remove);
	ck_assert_uint_eq(visits, 100);
	ck_assert_uint_eq(children_count(), 50);
}
END_TEST

START_TEST(closes_its_standard_error)
{
	struct child *child = add(1, 70001);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	child->errors = fd;
	child_remove(child);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	child_free(NULL);
}
END_TEST

/* --- their end --------------------------------------------------------------------- */

/* A process in a session of its own. Check's handler of SIGTERM is not for it. */
static pid_t run(bool ignores_sigterm)
{
	void (*before)(int) = signal(SIGTERM, ignores_sigterm ? SIG_IGN : SIG_DFL);
	pid_t test = getpid(), pid = fork();

	if (pid == 0) {
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == test)
			pause();
		_exit(0);
	}
	signal(SIGTERM, before);
	wait_until(getsid(pid) == pid);
	return pid;
}

static bool turn(void)
{
	loop_turn(10);
	return true;
}

static const struct {
	bool ignores_sigterm, at_once;
	int signal;
} ends[] = { { false, false, SIGTERM }, { false, true, SIGKILL }, { true, true, SIGKILL } };

START_TEST(ends_by_a_signal)
{
	struct child *child = add(1, run(ends[_i].ignores_sigterm));
	int status;

	child_end(child, ends[_i].at_once, END_STOP);
	ck_assert(child->is_ending);
	wait_until(turn() && waitpid(child->pid, &status, WNOHANG) == child->pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), ends[_i].signal);
	child_reaped(child, status);
	ck_assert(!child->is_gone);
	wait_until(turn() && gone == 1);
	ck_assert(!timer_is_pending(&child->grace));
}
END_TEST

START_TEST(gives_the_grace_time_of_the_child)
{
	struct child *child = add(1, run(true));
	int status;

	ck_assert_uint_eq(child->grace_ms, 5000);
	child->grace_ms = 1;
	child_end(child, false, END_RELOAD);
	child_end(child, false, END_STOP);
	timers_run(clock_now() + 1);
	wait_until(turn() && waitpid(child->pid, &status, WNOHANG) == child->pid);
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	child_reaped(child, status);
	ck_assert_int_eq(child->reason, END_RELOAD);
}
END_TEST

static void pass_grace(const struct child *child)
{
	timers_run(clock_now() + child->grace_ms);
}

/* The process is a zombie then, as nothing has waited for it. */
START_TEST(tells_once_that_killing_did_not_help)
{
	struct child *child = add(1, run(true));
	int status;

	child_end(child, false, END_STOP);
	ck_assert(!child->is_killed);
	pass_grace(child);
	ck_assert(child->is_killed);
	ck_assert_uint_eq(held, 0);
	pass_grace(child);
	ck_assert_uint_eq(held, 1);
	pass_grace(child);
	ck_assert_uint_eq(held, 1);
	wait_until(turn() && waitpid(child->pid, &status, WNOHANG) == child->pid);
	child_reaped(child, status);
}
END_TEST

START_TEST(ends_after_its_runtime)
{
	struct child *child = add(1, run(false));
	int status;

	child_limit_runtime(child, 1);
	timers_run(clock_now() + 1);
	wait_until(turn() && waitpid(child->pid, &status, WNOHANG) == child->pid);
	ck_assert_int_eq(WTERMSIG(status), SIGTERM);
	ck_assert(timer_is_pending(&child->grace));
	ck_assert_int_eq(child->reason, END_MAX_RUNTIME);
	child_reaped(child, status);
}
END_TEST

START_TEST(has_no_timer_after_its_end)
{
	struct child *child = add(1, 1);

	child_limit_runtime(child, 1);
	child_reaped(child, 0);
	ck_assert(!timer_is_pending(&child->runtime));
}
END_TEST

/* The program has ended, and one of its children runs on. */
START_TEST(a_tracked_one_is_gone_when_all_its_processes_are_gone)
{
	int channel[2], status;
	pid_t program, other;
	struct child *child;

	ck_assert_int_eq(pipe2(channel, O_CLOEXEC), 0);
	program = fork();
	if (program == 0) {
		setsid();
		other = fork();
		while (other == 0)
			pause();
		_exit(write(channel[1], &other, sizeof other) < 0);
	}
	child = add(1, program);
	child->is_tracked = true;
	ck_assert_int_eq(read(channel[0], &other, sizeof other), sizeof other);
	ck_assert_int_eq(waitpid(program, &status, 0), program);
	child_reaped(child, status);
	ck_assert(!child->is_gone);
	for (int i = 0; i < 3; i++) {
		session_trees_look();
		turn();
	}
	ck_assert_uint_eq(gone, 0);
	ck_assert_int_eq(kill(other, SIGKILL), 0);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	wait_until((session_trees_look(), turn()) && gone == 1);
}
END_TEST

START_TEST(leaves_alone_whoever_has_the_number_after_it)
{
	pid_t pid = run(false);
	struct child *child = add(1, pid);

	child_reaped(child, 0);
	child_end(child, true, END_STOP);
	child_end(child, false, END_STOP);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert(process_runs(pid));
}
END_TEST

/* --- counting ---------------------------------------------------------------------- */

enum { MANY = 10 };

START_TEST(counts_for_its_service_from_before_it_is_added_until_it_is_freed)
{
	struct child *one = make(1, 70001), *other = make(2, 70002);

	ck_assert(children_have_room(5, 1));
	child_counts_for(one, 5);
	ck_assert_uint_eq(one->service, 5);
	ck_assert(!children_have_room(5, 1));
	ck_assert(children_have_room(5, 2));
	ck_assert(children_have_room(6, 1));
	ck_assert_int_eq(child_add(one), 0);
	child_counts_for(other, 5);
	ck_assert(!children_have_room(5, 2));
	ck_assert_uint_eq(children_counted(), 2);
	child_free(other);
	ck_assert(children_have_room(5, 2));
	child_reaped(one, 0);
	ck_assert(!children_have_room(5, 1));
	child_remove(one);
	ck_assert(children_have_room(5, 1));
	ck_assert_uint_eq(children_counted(), 0);
}
END_TEST

START_TEST(counts_once_however_often_it_is_said)
{
	struct child *child = make(1, 70001);

	for (int i = 0; i < 3; i++)
		child_counts_for(child, 5);
	ck_assert_uint_eq(children_counted(), 1);
	child_counts_no_more(child);
	child_counts_no_more(child);
	ck_assert_uint_eq(children_counted(), 0);
	ck_assert(children_have_room(5, 1));
	child_counts_for(child, 6);
	ck_assert_uint_eq(children_counted(), 1);
	child_free(child);
	ck_assert_uint_eq(children_counted(), 0);
}
END_TEST

static const struct {
	uint32_t service;
	unsigned running, most;
	bool has_room;
} rooms[] = {
	{ 0, 0, 0, false },
	{ 0, 0, 1, true },
	{ 0, 1, 1, false },
	{ 0, MANY, MANY, false },
	{ 0, MANY, MANY + 1, true },
	{ 0, MANY, UNLIMITED - 1, true },
	{ 0, MANY, UNLIMITED, true },
	{ SERVICE_IS_NEW, 2, 2, false },
	{ SERVICE_IS_NEW, 2, 3, true },
	{ SERVICE_IS_NEW - 1, 1, 0, false },
};

START_TEST(has_room_for_so_many)
{
	for (unsigned i = 0; i < rooms[_i].running; i++)
		child_counts_for(make(i, 70000 + (pid_t)i), rooms[_i].service);
	ck_assert(children_have_room(rooms[_i].service, rooms[_i].most) == rooms[_i].has_room);
	ck_assert_uint_eq(children_counted(), rooms[_i].running);
}
END_TEST

/* Two services change their numbers: in between both seem to have all. */
START_TEST(counts_as_before_when_numbers_change)
{
	struct child *children[MANY];

	for (unsigned i = 0; i < MANY; i++)
		child_counts_for(children[i] = make(i, 70000 + (pid_t)i), i < 3 ? 0 : 1);
	for (unsigned i = 0; i < MANY; i++)
		child_renumber(children[i], 1 - children[i]->service);
	ck_assert(!children_have_room(1, 3) && children_have_room(1, 4));
	ck_assert(!children_have_room(0, MANY - 3) && children_have_room(0, MANY - 2));
	for (unsigned i = 0; i < MANY; i++)
		child_renumber(children[i], SERVICE_IS_NEW);
	ck_assert(children_have_room(0, 1) && children_have_room(1, 1));
	ck_assert_uint_eq(children_counted(), MANY);
}
END_TEST

/* Its session is over, and only the frontend has to log that. */
START_TEST(one_that_is_settled_counts_no_more)
{
	struct child *child = make(1, 70001);

	child_counts_for(child, 5);
	child_settle(child);
	ck_assert_uint_eq(children_counted(), 0);
	child_renumber(child, 6);
	ck_assert_uint_eq(child->service, 6);
	ck_assert_uint_eq(children_counted(), 0);
	ck_assert(children_have_room(6, 1));
	child_free(child);
}
END_TEST

Suite *children_suite(void)
{
	Suite *suite = suite_create("children");
	TCase *tests = tcase_create("children");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, gives_the_grace_time_of_the_child);
	tcase_add_test(tests, tells_once_that_killing_did_not_help);
	tcase_add_test(tests, ends_after_its_runtime);
	tcase_add_test(tests, has_no_timer_after_its_end);
	tcase_add_test(tests,
		       is_found_by_process_until_it_is_reaped_and_by_session_until_it_is_removed);
	tcase_add_test(tests, may_be_removed_while_all_are_visited);
	tcase_add_test(tests, closes_its_standard_error);
	tcase_add_loop_test(tests, ends_by_a_signal, 0, sizeof ends / sizeof ends[0]);
	tcase_add_test(tests, a_tracked_one_is_gone_when_all_its_processes_are_gone);
	tcase_add_test(tests, leaves_alone_whoever_has_the_number_after_it);
	tcase_add_test(tests, counts_for_its_service_from_before_it_is_added_until_it_is_freed);
	tcase_add_test(tests, counts_once_however_often_it_is_said);
	tcase_add_loop_test(tests, has_room_for_so_many, 0, sizeof rooms / sizeof rooms[0]);
	tcase_add_test(tests, counts_as_before_when_numbers_change);
	tcase_add_test(tests, one_that_is_settled_counts_no_more);
	suite_add_tcase(suite, tests);
	return suite;
}
