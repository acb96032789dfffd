/* A pool of threads for what can block: starting programs, looking up names,
 * reading a banner from a slow disk. The loop thread hands over a job, a worker
 * runs it, and the loop thread gets it back. Nothing else is shared. */
#ifndef USHERD_BASE_WORKER_H
#define USHERD_BASE_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct job;
struct worker_pool;

/* Embedded in its owner, who must keep it from worker_submit until done. */
struct job {
	void (*run)(struct job *job);  /* on a worker, all signals blocked; touches only the job */
	void (*done)(struct job *job); /* on the loop thread; may free the job */
	STAILQ_ENTRY(job) link;
	uint64_t began; /* the pool's: when a thread took it */
};

/* A pool whose threads start when there is work for them: up to `usual`
 * threads as jobs come, and, one at a time, up to `most` when every thread has
 * been stuck for 100 ms while jobs wait. Needs loop_init before it. NULL with
 * errno when that fails. */
struct worker_pool *worker_pool_new(unsigned usual, unsigned most);

/* Waits for the jobs that are running, drops the others, ends the threads. Calls
 * no done any more. For tests and orderly exits; not from a done. */
void worker_pool_free(struct worker_pool *pool);

/* Queues job. Returns 0, or -1 with errno when there is no thread and none can
 * be started (EAGAIN); the job is then not queued. */
int worker_submit(struct worker_pool *pool, struct job *job) __attribute__((warn_unused_result));

/* When a thread began with a job that was submitted, as loop_now() counts; 0 while
 * the job waits for one. */
uint64_t worker_began(struct worker_pool *pool, const struct job *job);

#endif
