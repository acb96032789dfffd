#include "base/loop.h"
#include "base/timer.h"
#include "base/worker.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MANY = 1000 };

struct task {
	struct job job;
	sem_t *hold; /* the task ends when it is posted */
	sem_t *begun;
	bool was_run, was_on_loop_thread, was_blocking_signals;
	char thread_name[16];
	int left; /* times to submit it again */
};

static struct worker_pool *pool;
static struct task tasks[MANY];
static pthread_t loop_thread;
static int done_count, done_goal;
static sem_t hold, begun;

static void set_up(void)
{
	loop_thread = pthread_self();
	done_count = 0;
	done_goal = 0;
	pool = NULL;
	memset(tasks, 0, sizeof tasks);
	ck_assert_int_eq(sem_init(&hold, 0, 0), 0);
	ck_assert_int_eq(sem_init(&begun, 0, 0), 0);
	ck_assert_int_eq(loop_init(), 0);
}

static void tear_down(void)
{
	if (pool)
		worker_pool_free(pool);
	loop_free();
}

static void open_pool(unsigned usual, unsigned most)
{
	pool = worker_pool_new(usual, most);
	ck_assert_ptr_nonnull(pool);
}

static void run(struct job *job)
{
	struct task *task = (struct task *)job;
	sigset_t blocked;

	task->was_run = true;
	task->was_on_loop_thread = pthread_equal(pthread_self(), loop_thread);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	task->was_blocking_signals = sigismember(&blocked, SIGTERM) &&
				     sigismember(&blocked, SIGCHLD) &&
				     sigismember(&blocked, SIGUSR1);
	pthread_getname_np(pthread_self(), task->thread_name, sizeof task->thread_name);
	if (task->begun)
		sem_post(task->begun);
	while (task->hold && sem_wait(task->hold) < 0)
		;
}

static void count_done(void)
{
	ck_assert(pthread_equal(pthread_self(), loop_thread));
	if (++done_count == done_goal)
		loop_stop();
}

static void done(struct job *job)
{
	struct task *task = (struct task *)job;

	if (task->left-- > 0)
		ck_assert_int_eq(worker_submit(pool, job), 0);
	count_done();
}

static struct task *prepare(int i)
{
	tasks[i].job = (struct job){ .run = run, .done = done };
	return &tasks[i];
}

static void submit(struct task *task)
{
	ck_assert_int_eq(worker_submit(pool, &task->job), 0);
}

static void run_until_done(int goal)
{
	done_goal = goal;
	if (done_count < goal)
		loop_run();
	ck_assert_int_eq(done_count, goal);
}

START_TEST(a_job_runs_elsewhere_and_comes_back)
{
	open_pool(2, 4);
	submit(prepare(0));
	run_until_done(1);
	ck_assert(tasks[0].was_run);
	ck_assert(!tasks[0].was_on_loop_thread);
	ck_assert(tasks[0].was_blocking_signals);
	ck_assert_str_eq(tasks[0].thread_name, "usherd-work");
}
END_TEST

START_TEST(the_loop_thread_keeps_its_signals)
{
	sigset_t blocked;

	open_pool(2, 4);
	submit(prepare(0));
	run_until_done(1);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	ck_assert(!sigismember(&blocked, SIGTERM));
}
END_TEST

static const unsigned sizes[][2] = { { 0, 0 }, { 1, 1 }, { 1, 3 }, { 4, 2 }, { 4, 16 } };

START_TEST(every_one_of_many_jobs_comes_back)
{
	open_pool(sizes[_i][0], sizes[_i][1]);
	for (int i = 0; i < MANY; i++)
		submit(prepare(i));
	run_until_done(MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_msg(tasks[i].was_run, "pool %d, job %d", _i, i);
}
END_TEST

START_TEST(done_may_submit_again)
{
	open_pool(2, 2);
	for (int i = 0; i < 10; i++) {
		prepare(i)->left = 50;
		submit(&tasks[i]);
	}
	run_until_done(10 * 51);
}
END_TEST

static void free_job(struct job *job)
{
	free(job);
	count_done();
}

START_TEST(done_may_free_the_job)
{
	open_pool(2, 2);
	for (int i = 0; i < 100; i++) {
		struct task *task = calloc(1, sizeof *task);

		ck_assert_ptr_nonnull(task);
		task->job = (struct job){ .run = run, .done = free_job };
		submit(task);
	}
	run_until_done(100);
}
END_TEST

/* Submits a job that does not end before hold is posted. */
static void submit_stuck(int i)
{
	prepare(i)->hold = &hold;
	tasks[i].begun = &begun;
	submit(&tasks[i]);
}

static void release_stuck(int count)
{
	for (int i = 0; i < count; i++)
		sem_post(&hold);
}

START_TEST(a_stuck_job_does_not_stop_others)
{
	open_pool(2, 2);
	submit_stuck(0);
	for (int i = 1; i < 100; i++)
		submit(prepare(i));
	run_until_done(99);
	release_stuck(1);
	run_until_done(100);
}
END_TEST

START_TEST(more_threads_help_out_when_all_are_stuck)
{
	open_pool(2, 6);
	for (int i = 0; i < 5; i++)
		submit_stuck(i);
	for (int i = 5; i < 50; i++)
		submit(prepare(i));
	run_until_done(45);
	release_stuck(5);
	run_until_done(50);
}
END_TEST

static void wait_for_begun(int count)
{
	for (int i = 0; i < count; i++)
		while (sem_wait(&begun) < 0)
			;
}

/* Watches for a while, then lets all jobs end. */
static void watch_stuck(struct timer *timer)
{
	static int looks;
	int running;

	ck_assert_int_eq(sem_getvalue(&begun, &running), 0);
	ck_assert_int_le(running, 3);
	if (running == 3 && ++looks == 3)
		release_stuck(MANY);
	else
		timer_start(timer, 150);
}

/* With all threads stuck, the other jobs wait. The stall timer can't add a thread and
 * does no harm. */
START_TEST(no_more_threads_start_than_may)
{
	struct timer rescue;

	open_pool(1, 3);
	for (int i = 0; i < 20; i++)
		submit_stuck(i);
	timer_init(&rescue, watch_stuck);
	timer_start(&rescue, 150);
	run_until_done(20);
	for (int i = 0; i < 20; i++)
		ck_assert_msg(tasks[i].was_run, "job %d", i);
}
END_TEST

static void submit_for(struct task *task, uint64_t owner)
{
	const struct turn_key key = turn_key_number(owner);

	ck_assert_int_eq(worker_submit_for(pool, &task->job, &key), 0);
}

/* Stuck jobs of one owner do not take the threads of others. */
START_TEST(an_owner_has_no_more_threads_than_its_share)
{
	pool = worker_pool_new_shared(2, 4, 1, (const unsigned[]){ 0, 2 });
	ck_assert_ptr_nonnull(pool);
	for (int i = 0; i < 10; i++) {
		prepare(i)->hold = &hold;
		tasks[i].begun = &begun;
		submit_for(&tasks[i], 1);
	}
	for (int i = 10; i < 50; i++)
		submit_for(prepare(i), 2);
	run_until_done(40);
	for (int i = 2; i < 10; i++)
		ck_assert_uint_eq(worker_began(pool, &tasks[i].job), 0);
	ck_assert_uint_eq(worker_turns_given(pool, &tasks[9].job, 1), 2);
	release_stuck(10);
	run_until_done(50);
}
END_TEST

START_TEST(a_job_that_waits_can_be_taken_back)
{
	open_pool(1, 1);
	submit_stuck(0);
	for (int i = 1; i < 4; i++)
		submit(prepare(i));
	wait_for_begun(1);
	ck_assert(!worker_cancel(pool, &tasks[0].job));
	ck_assert_uint_gt(worker_began(pool, &tasks[0].job), 0);
	ck_assert(worker_cancel(pool, &tasks[2].job));
	ck_assert(!worker_cancel(pool, &tasks[2].job));
	release_stuck(1);
	run_until_done(3);
	ck_assert(!tasks[2].was_run);
	ck_assert(!worker_cancel(pool, &tasks[3].job));
}
END_TEST

START_TEST(the_pool_goes_with_jobs_left)
{
	open_pool(1, 1);
	submit_stuck(0);
	for (int i = 1; i < 10; i++)
		submit(prepare(i));
	wait_for_begun(1);
	release_stuck(1);
	worker_pool_free(pool);
	pool = NULL;
	ck_assert_int_eq(done_count, 0);
	ck_assert(tasks[0].was_run);
}
END_TEST

START_TEST(an_unused_pool_can_be_freed)
{
	open_pool(4, 8);
	worker_pool_free(pool);
	pool = NULL;
	ck_assert_int_eq(done_count, 0);
	loop_turn(0);
}
END_TEST

START_TEST(without_a_descriptor_there_is_no_pool)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	errno = 0;
	pool = worker_pool_new(1, 1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_ptr_null(pool);
}
END_TEST

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
/* Without memory for a stack no thread can start. The sanitizers need that memory. */
START_TEST(a_job_without_any_thread_is_refused)
{
	struct rlimit before, none;
	int status, error;

	open_pool(2, 4);
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	none = (struct rlimit){ .rlim_cur = 1, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	status = worker_submit(pool, &prepare(0)->job);
	error = errno;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	ck_assert_int_eq(status, -1);
	ck_assert_int_eq(error, EAGAIN);
	submit(&tasks[0]);
	run_until_done(1);
}
END_TEST

static void add_refusal(TCase *cases)
{
	tcase_add_test(cases, a_job_without_any_thread_is_refused);
}
#else
static void add_refusal(TCase *cases)
{
	(void)cases;
}
#endif

Suite *worker_suite(void);

Suite *worker_suite(void)
{
	Suite *suite = suite_create("worker");
	TCase *jobs = tcase_create("jobs");
	TCase *stuck = tcase_create("stuck");
	TCase *failing = tcase_create("failing");

	tcase_add_checked_fixture(jobs, set_up, tear_down);
	tcase_add_test(jobs, a_job_runs_elsewhere_and_comes_back);
	tcase_add_test(jobs, the_loop_thread_keeps_its_signals);
	tcase_add_loop_test(jobs, every_one_of_many_jobs_comes_back, 0, 5);
	tcase_add_test(jobs, done_may_submit_again);
	tcase_add_test(jobs, done_may_free_the_job);
	tcase_add_checked_fixture(stuck, set_up, tear_down);
	tcase_set_timeout(stuck, 30);
	tcase_add_test(stuck, a_stuck_job_does_not_stop_others);
	tcase_add_test(stuck, more_threads_help_out_when_all_are_stuck);
	tcase_add_test(stuck, no_more_threads_start_than_may);
	tcase_add_test(stuck, an_owner_has_no_more_threads_than_its_share);
	tcase_add_test(stuck, a_job_that_waits_can_be_taken_back);
	tcase_add_test(stuck, the_pool_goes_with_jobs_left);
	tcase_add_test(stuck, an_unused_pool_can_be_freed);
	tcase_add_checked_fixture(failing, set_up, tear_down);
	tcase_add_test(failing, without_a_descriptor_there_is_no_pool);
	add_refusal(failing);
	suite_add_tcase(suite, jobs);
	suite_add_tcase(suite, stuck);
	suite_add_tcase(suite, failing);
	return suite;
}
