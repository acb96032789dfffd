/* A pool of threads for what can block: starting programs, looking up names,
 * reading a banner from a slow disk. The loop thread hands over a job, a worker
 * runs it, and the loop thread gets it back. Nothing else is shared. */
#ifndef USHERD_BASE_WORKER_H
#define USHERD_BASE_WORKER_H

#include "base/turns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct job;
struct worker_pool;

/* Embedded in its owner, who must keep it from worker_submit until done. */
struct job {
	void (*run)(struct job *job);  /* on a worker, all signals blocked; touches only the job */
	void (*done)(struct job *job); /* on the loop thread; may free the job */

	/* The pool's own. */
	STAILQ_ENTRY(job) link;
	struct turn turn;
	uint64_t began; /* when a thread took it */
};

/* A pool whose threads start when there is work for them: up to `usual`
 * threads as jobs come, and, one at a time, up to `most` when every thread has
 * been stuck for 100 ms while jobs wait. Needs loop_init before it. NULL with
 * errno when that fails. */
struct worker_pool *worker_pool_new(unsigned usual, unsigned most);

/* The same with jobs that take turns and have shares as turns_new says. */
struct worker_pool *worker_pool_new_shared(unsigned usual, unsigned most, size_t levels,
					   const unsigned shares[]);

/* Has the pool hold at most so many jobs as turns_set_room says; to be called before
 * any is submitted. */
void worker_pool_set_room(struct worker_pool *pool, unsigned room);

/* The same with turns_set_most_in_company. */
void worker_pool_set_most_in_company(struct worker_pool *pool, size_t level, unsigned most);

/* Waits for the jobs that are running, drops the others, ends the threads. Calls
 * no done any more. For tests and orderly exits; not from a done. */
void worker_pool_free(struct worker_pool *pool);

/* Queues job. Returns 0, or -1 with errno when there is no thread and none can
 * be started or no room (EAGAIN), or memory is short (ENOMEM); the job is then not
 * queued. */
int worker_submit(struct worker_pool *pool, struct job *job) __attribute__((warn_unused_result));

/* The same for a pool whose jobs take turns: keys says whose this one is. */
int worker_submit_for(struct worker_pool *pool, struct job *job, const struct turn_key keys[])
	__attribute__((warn_unused_result));

/* Takes back a job that no thread has taken: it is neither run nor done, and the
 * caller's again. False when a thread has it. */
bool worker_cancel(struct worker_pool *pool, struct job *job);

/* When a thread began with a job that was submitted, as loop_now() counts; 0 while
 * the job waits for one. */
uint64_t worker_began(struct worker_pool *pool, const struct job *job);

/* Of a job that is not done: turns_given of the group it is in at that level. */
unsigned long worker_turns_given(struct worker_pool *pool, const struct job *job, size_t level);

#endif
