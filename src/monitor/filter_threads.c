#include "monitor/filter_threads.h"

#include "monitor/capabilities.h"
#include "monitor/syscall_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <time.h>

enum { STACK_SIZE = 128 * 1024, IDLE_SECONDS = 10 };

/* What a thread is to do. */
struct errand {
	void (*run)(void *argument);
	void *argument;
	bool is_over, has_failed; /* failed: there is no thread */
	pthread_cond_t over;
};

struct filter_thread {
	LIST_ENTRY(filter_thread) link;
	struct filter_thread_kind kind; /* with a list of its own */
	struct errand *errand;          /* NULL: in the list of those that are idle */
	pthread_cond_t called;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards all of these */
static LIST_HEAD(, filter_thread) idle = LIST_HEAD_INITIALIZER(idle);

static void thread_free(struct filter_thread *thread)
{
	pthread_cond_destroy(&thread->called);
	free(thread->kind.filter.list);
	free(thread);
}

static bool condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	bool is_ready;

	if (pthread_condattr_init(&attributes) != 0)
		return false;
	is_ready = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
		   pthread_cond_init(condition, &attributes) == 0;
	pthread_condattr_destroy(&attributes);
	return is_ready;
}

static struct filter_thread *thread_new(const struct filter_thread_kind *kind,
					struct errand *errand)
{
	struct filter_thread *thread = calloc(1, sizeof *thread);
	size_t size = kind->filter.count * sizeof *kind->filter.list;

	if (!thread)
		return NULL;
	thread->kind = *kind;
	thread->errand = errand;
	thread->kind.filter.list = malloc(size);
	if (!thread->kind.filter.list || !condition_init(&thread->called)) {
		free(thread->kind.filter.list);
		free(thread);
		return NULL;
	}
	memcpy(thread->kind.filter.list, kind->filter.list, size);
	return thread;
}

/* --- the thread --------------------------------------------------------------------------- */

static void end_errand(struct filter_thread *thread, bool has_failed)
{
	thread->errand->has_failed = has_failed;
	thread->errand->is_over = true;
	pthread_cond_signal(&thread->errand->over);
	thread->errand = NULL;
}

/* True: it has an errand. With the mutex. */
static bool await_errand(struct filter_thread *thread)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	LIST_INSERT_HEAD(&idle, thread, link);
	while (!thread->errand && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&thread->called, &mutex, &until);
	if (!thread->errand)
		LIST_REMOVE(thread, link);
	return thread->errand != NULL;
}

static void serve(struct filter_thread *thread)
{
	do {
		pthread_mutex_unlock(&mutex);
		thread->errand->run(thread->errand->argument);
		pthread_mutex_lock(&mutex);
		end_errand(thread, false);
	} while (await_errand(thread));
}

static bool become(const struct filter_thread_kind *kind)
{
	return (!kind->is_bounded || capabilities_drop_bounding_set(0) == 0) &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall_filter_load(&kind->filter) == 0;
}

static void *thread_main(void *argument)
{
	struct filter_thread *thread = argument;
	bool is_ready = become(&thread->kind);

	pthread_mutex_lock(&mutex);
	if (is_ready)
		serve(thread);
	else
		end_errand(thread, true);
	pthread_mutex_unlock(&mutex);
	thread_free(thread);
	return NULL;
}

/* --- who calls it --------------------------------------------------------------------------- */

static int start(struct filter_thread *thread)
{
	pthread_attr_t attributes;
	pthread_t started;
	int error = pthread_attr_init(&attributes);

	if (error)
		return error;
	if (pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK_SIZE) != 0)
		error = EINVAL;
	else /* from a worker, so all signals are blocked in it too */
		error = pthread_create(&started, &attributes, thread_main, thread);
	pthread_attr_destroy(&attributes);
	return error;
}

static bool is_same(const struct filter_thread_kind *one, const struct filter_thread_kind *other)
{
	return one->is_bounded == other->is_bounded && one->filter.count == other->filter.count &&
	       memcmp(one->filter.list, other->filter.list,
		      one->filter.count * sizeof *one->filter.list) == 0;
}

/* With the mutex. */
static struct filter_thread *take_idle(const struct filter_thread_kind *kind)
{
	struct filter_thread *thread;

	LIST_FOREACH(thread, &idle, link)
		if (is_same(&thread->kind, kind))
			break;
	if (thread)
		LIST_REMOVE(thread, link);
	return thread;
}

/* With the mutex. False: neither is there one, nor can one be made. */
static bool call(const struct filter_thread_kind *kind, struct errand *errand)
{
	struct filter_thread *thread = take_idle(kind);

	if (thread) {
		thread->errand = errand;
		pthread_cond_signal(&thread->called);
		return true;
	}
	thread = thread_new(kind, errand);
	if (!thread)
		return false;
	if (start(thread) == 0)
		return true;
	thread_free(thread);
	return false;
}

bool filter_threads_run(const struct filter_thread_kind *kind, void (*run)(void *argument),
			void *argument)
{
	struct errand errand = { .run = run, .argument = argument };

	if (pthread_cond_init(&errand.over, NULL) != 0)
		return false;
	pthread_mutex_lock(&mutex);
	errand.has_failed = !call(kind, &errand);
	while (!errand.is_over && !errand.has_failed)
		pthread_cond_wait(&errand.over, &mutex);
	pthread_mutex_unlock(&mutex);
	pthread_cond_destroy(&errand.over);
	return !errand.has_failed;
}
