#include "base/worker.h"

#include "base/clock.h"
#include "base/container_of.h"
#include "base/loop.h"
#include "base/timer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	STALL_MS = 100,
	STACK_SIZE = 256 * 1024,
};

STAILQ_HEAD(job_list, job);

struct worker_pool {
	/* The loop thread's own. */
	struct watch wake;
	struct timer stall;
	unsigned long taken_before; /* when the stall timer was started */
	unsigned usual, most, started;
	pthread_t *threads;

	/* Shared, under lock. */
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct turns *queued;
	struct job_list finished;
	unsigned idle;       /* threads that can take a job */
	unsigned long taken; /* jobs that threads have taken so far */
	bool is_ending;
};

/* The next job, or NULL when the pool ends. */
static struct job *take_job(struct worker_pool *pool)
{
	struct job *job = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!pool->is_ending && !turns_has_next(pool->queued))
		pthread_cond_wait(&pool->work, &pool->lock);
	if (!pool->is_ending) {
		job = container_of(turns_next(pool->queued), struct job, turn);
		pool->idle--;
		pool->taken++;
		job->began = clock_read();
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

/* Only the first job wakes the loop, which takes all finished jobs. */
static void hand_back(struct worker_pool *pool, struct job *job)
{
	bool is_first;

	pthread_mutex_lock(&pool->lock);
	is_first = STAILQ_EMPTY(&pool->finished);
	STAILQ_INSERT_TAIL(&pool->finished, job, link);
	turns_leave(pool->queued, &job->turn);
	pool->idle++;
	pthread_mutex_unlock(&pool->lock);
	if (is_first)
		eventfd_write(pool->wake.fd, 1);
}

static void *work(void *argument)
{
	struct worker_pool *pool = argument;
	struct job *job;

	pthread_setname_np(pthread_self(), "usherd-work");
	while ((job = take_job(pool))) {
		job->run(job);
		hand_back(pool, job);
	}
	return NULL;
}

/* Only the loop thread gets signals; a new thread inherits the signal mask. */
static int create_thread(pthread_t *thread, struct worker_pool *pool)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error = pthread_attr_init(&attributes);

	if (error)
		return error;
	error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!error)
		error = pthread_create(thread, &attributes, work, pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static void count_idle(struct worker_pool *pool, int change)
{
	pthread_mutex_lock(&pool->lock);
	pool->idle += (unsigned)change;
	pthread_mutex_unlock(&pool->lock);
}

static bool start_thread(struct worker_pool *pool)
{
	if (pool->started == pool->most)
		return false;
	count_idle(pool, 1); /* before, because the thread may take a job at once */
	if (create_thread(&pool->threads[pool->started], pool) != 0) {
		count_idle(pool, -1);
		return false;
	}
	pool->started++;
	return true;
}

/* The number of jobs taken so far, and whether a job waits that could be taken. */
static unsigned long read_progress(struct worker_pool *pool, bool *is_waiting)
{
	unsigned long taken;

	pthread_mutex_lock(&pool->lock);
	taken = pool->taken;
	*is_waiting = turns_has_next(pool->queued);
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

static void watch_for_stall(struct worker_pool *pool, unsigned long taken)
{
	pool->taken_before = taken;
	timer_start(&pool->stall, STALL_MS);
}

static void stall_is_due(struct timer *timer)
{
	struct worker_pool *pool = container_of(timer, struct worker_pool, stall);
	bool is_waiting;
	unsigned long taken = read_progress(pool, &is_waiting);

	if (!is_waiting)
		return;
	if (taken == pool->taken_before)
		start_thread(pool);
	watch_for_stall(pool, taken);
}

/* Takes the finished jobs before it calls done, because done may submit more. */
static void wake_is_ready(struct watch *watch, short events)
{
	struct worker_pool *pool = container_of(watch, struct worker_pool, wake);
	struct job_list jobs = STAILQ_HEAD_INITIALIZER(jobs);
	struct job *job;
	eventfd_t ignored;

	(void)events;
	eventfd_read(watch->fd, &ignored);
	pthread_mutex_lock(&pool->lock);
	STAILQ_CONCAT(&jobs, &pool->finished);
	pthread_mutex_unlock(&pool->lock);
	while ((job = STAILQ_FIRST(&jobs))) {
		STAILQ_REMOVE_HEAD(&jobs, link);
		job->done(job);
	}
}

static int open_wake(struct worker_pool *pool)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -1;
	watch_init(&pool->wake, fd, wake_is_ready);
	if (watch_start(&pool->wake, LOOP_READ) == 0)
		return 0;
	close(fd);
	return -1;
}

static void pool_deallocate(struct worker_pool *pool)
{
	int error = errno;

	turns_free(pool->queued);
	free(pool->threads);
	free(pool);
	errno = error;
}

static struct worker_pool *pool_allocate(unsigned most, size_t levels, const unsigned shares[])
{
	struct worker_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pool->threads = calloc(most, sizeof *pool->threads);
	pool->queued = turns_new(levels, shares);
	if (pool->threads && pool->queued)
		return pool;
	pool_deallocate(pool);
	return NULL;
}

struct worker_pool *worker_pool_new(unsigned usual, unsigned most)
{
	return worker_pool_new_shared(usual, most, 0, (const unsigned[]){ 0 });
}

struct worker_pool *worker_pool_new_shared(unsigned usual, unsigned most, size_t levels,
					   const unsigned shares[])
{
	struct worker_pool *pool;

	usual = usual > 0 ? usual : 1;
	most = most > usual ? most : usual;
	pool = pool_allocate(most, levels, shares);
	if (!pool)
		return NULL;
	if (open_wake(pool) < 0) {
		pool_deallocate(pool);
		return NULL;
	}
	pool->usual = usual;
	pool->most = most;
	timer_init(&pool->stall, stall_is_due);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	STAILQ_INIT(&pool->finished);
	return pool;
}

void worker_pool_set_room(struct worker_pool *pool, unsigned room)
{
	turns_set_room(pool->queued, room);
}

void worker_pool_set_most_in_company(struct worker_pool *pool, size_t level, unsigned most)
{
	turns_set_most_in_company(pool->queued, level, most);
}

static void end_threads(struct worker_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->is_ending = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->started; i++)
		pthread_join(pool->threads[i], NULL);
}

void worker_pool_free(struct worker_pool *pool)
{
	end_threads(pool);
	timer_stop(&pool->stall);
	watch_stop(&pool->wake);
	close(pool->wake.fd);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	pool_deallocate(pool);
}

/* Queues job. *falls_short: whether another thread would have work. The thread that is woken
 * finds the lock free. */
static int enqueue(struct worker_pool *pool, struct job *job, const struct turn_key keys[],
		   bool *falls_short, unsigned long *taken)
{
	bool has_next;
	int status;

	job->began = 0;
	pthread_mutex_lock(&pool->lock);
	status = turns_join(pool->queued, &job->turn, keys);
	has_next = turns_has_next(pool->queued);
	*falls_short = has_next && turns_waiting(pool->queued) > pool->idle;
	*taken = pool->taken;
	pthread_mutex_unlock(&pool->lock);
	if (has_next)
		pthread_cond_signal(&pool->work);
	return status;
}

int worker_submit_for(struct worker_pool *pool, struct job *job, const struct turn_key keys[])
{
	bool falls_short;
	unsigned long taken;

	if (pool->started == 0 && !start_thread(pool)) {
		errno = EAGAIN;
		return -1;
	}
	if (enqueue(pool, job, keys, &falls_short, &taken) < 0)
		return -1;
	if (!falls_short)
		return 0;
	if (pool->started < pool->usual)
		start_thread(pool);
	if (!timer_is_pending(&pool->stall))
		watch_for_stall(pool, taken);
	return 0;
}

int worker_submit(struct worker_pool *pool, struct job *job)
{
	return worker_submit_for(pool, job, NULL);
}

bool worker_cancel(struct worker_pool *pool, struct job *job)
{
	bool waits;

	pthread_mutex_lock(&pool->lock);
	waits = job->turn.is_waiting;
	if (waits)
		turns_leave(pool->queued, &job->turn);
	pthread_mutex_unlock(&pool->lock);
	return waits;
}

uint64_t worker_began(struct worker_pool *pool, const struct job *job)
{
	uint64_t began;

	pthread_mutex_lock(&pool->lock);
	began = job->began;
	pthread_mutex_unlock(&pool->lock);
	return began;
}

unsigned long worker_turns_given(struct worker_pool *pool, const struct job *job, size_t level)
{
	unsigned long given;

	pthread_mutex_lock(&pool->lock);
	given = job->turn.group ? turns_given(pool->queued, &job->turn, level) : 0;
	pthread_mutex_unlock(&pool->lock);
	return given;
}
