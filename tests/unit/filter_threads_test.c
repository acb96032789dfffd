/* Threads with filters that allow everything but sync(2) or personality(2). */
#include "monitor/filter_threads.h"

#include "monitor/syscall_filter.h"

#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WITHOUT(number) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMLINK), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter without_syncfs[] = { WITHOUT(SYS_syncfs) };
static struct sock_filter without_personality[] = { WITHOUT(SYS_personality) };

static const struct filter_thread_kind no_syncfs = { { without_syncfs, 4 }, false },
				       no_personality = { { without_personality, 4 }, false },
				       wrong = { { without_syncfs, 3 }, false },
				       bounded = { { without_syncfs, 4 }, true };

/* What a thread has found. */
struct found {
	long thread;
	int syncfs_error, personality_error, child_error;
	bool ends_new_privileges, may_get_root;
};

static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

static int error_in_child(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(error_of(syscall(SYS_syncfs, -1)));
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void look(void *argument)
{
	*(struct found *)argument = (struct found){
		.thread = syscall(SYS_gettid),
		.syncfs_error = error_of(syscall(SYS_syncfs, -1)),
		.personality_error = error_of(personality(0xffffffff)),
		.child_error = error_in_child(),
		.ends_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.may_get_root = prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 1,
	};
}

static struct found look_with(const struct filter_thread_kind *kind)
{
	struct found found = { 0 };

	ck_assert(filter_threads_run(kind, look, &found));
	return found;
}

START_TEST(what_a_thread_starts_has_its_filter)
{
	struct found found = look_with(&no_syncfs), own;

	ck_assert_int_ne(found.thread, syscall(SYS_gettid));
	ck_assert_int_eq(found.syncfs_error, EMLINK);
	ck_assert_int_eq(found.child_error, EMLINK);
	ck_assert_int_eq(found.personality_error, 0);
	ck_assert(found.ends_new_privileges);
	look(&own); /* which is not changed itself */
	ck_assert_int_eq(own.syncfs_error, EBADF);
	ck_assert(!own.ends_new_privileges);
}
END_TEST

START_TEST(a_thread_serves_only_its_filter)
{
	struct found first = look_with(&no_syncfs), other = look_with(&no_personality),
		     again = look_with(&no_syncfs);

	ck_assert_int_eq(again.thread, first.thread);
	ck_assert_int_ne(other.thread, first.thread);
	ck_assert_int_eq(other.personality_error, EMLINK);
	ck_assert_int_eq(other.syncfs_error, EBADF);
}
END_TEST

START_TEST(a_filter_that_the_kernel_refuses_has_no_thread)
{
	struct found found = { 0 };

	ck_assert(!filter_threads_run(&wrong, look, &found));
	ck_assert_int_eq(found.thread, 0);
	look_with(&no_syncfs);
}
END_TEST

START_TEST(a_thread_may_have_an_empty_bounding_set)
{
	struct found other = look_with(&no_syncfs), found;

	if (!other.may_get_root || prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) != 1 ||
	    geteuid() != 0)
		return;
	found = look_with(&bounded);
	ck_assert(!found.may_get_root);
	ck_assert_int_eq(found.syncfs_error, EMLINK);
	ck_assert_int_ne(found.thread, other.thread);
	ck_assert(look_with(&no_syncfs).may_get_root);
}
END_TEST

/* Each of two callers waits in its errand until the other one is in its own too. */
static pthread_barrier_t both;

static void meet(void *argument)
{
	pthread_barrier_wait(&both);
	look(argument);
}

static void *call_from_thread(void *argument)
{
	return filter_threads_run(&no_syncfs, meet, argument) ? argument : NULL;
}

START_TEST(callers_do_not_wait_for_each_other)
{
	struct found found[2] = { 0 };
	pthread_t caller;
	void *result;

	ck_assert_int_eq(pthread_barrier_init(&both, NULL, 2), 0);
	ck_assert_int_eq(pthread_create(&caller, NULL, call_from_thread, &found[0]), 0);
	ck_assert(filter_threads_run(&no_syncfs, meet, &found[1]));
	ck_assert_int_eq(pthread_join(caller, &result), 0);
	ck_assert_ptr_nonnull(result);
	ck_assert_int_ne(found[0].thread, found[1].thread);
	ck_assert_int_eq(found[0].syncfs_error, EMLINK);
	pthread_barrier_destroy(&both);
}
END_TEST

Suite *filter_threads_suite(void)
{
	Suite *suite = suite_create("filter_threads");
	TCase *tests = tcase_create("filter threads");

	if (!syscall_filter_obstacle()) {
		tcase_add_test(tests, what_a_thread_starts_has_its_filter);
		tcase_add_test(tests, a_thread_serves_only_its_filter);
		tcase_add_test(tests, a_filter_that_the_kernel_refuses_has_no_thread);
		tcase_add_test(tests, a_thread_may_have_an_empty_bounding_set);
		tcase_add_test(tests, callers_do_not_wait_for_each_other);
	}
	suite_add_tcase(suite, tests);
	return suite;
}
