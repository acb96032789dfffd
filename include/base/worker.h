/* A pool of threads for work that can block: starting programs, looking up names,
 * reading a banner from a slow disk. The loop thread submits a job, a worker runs it,
 * and the loop thread gets it back. Nothing else is shared. */
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

/* The same with jobs that take turns; levels and shares as for turns_new. */
struct worker_pool *worker_pool_new_shared(unsigned usual, unsigned most, size_t levels,
					   const unsigned shares[]);

/* turns_set_room for the pool's jobs; to be called before any is submitted. */
void worker_pool_set_room(struct worker_pool *pool, unsigned room);

/* turns_set_most_in_company for the pool's jobs; as above. */
void worker_pool_set_most_in_company(struct worker_pool *pool, size_t level, unsigned most);

/* Waits for running jobs, drops the others, and ends the threads. No done is called any
 * more. For tests and orderly exits; not from a done. */
void worker_pool_free(struct worker_pool *pool);

/* Queues job. Returns 0, or -1 with errno when there is no thread and none can
 * be started or no room (EAGAIN), or memory is short (ENOMEM); the job is then not
 * queued. */
int worker_submit(struct worker_pool *pool, struct job *job) __attribute__((warn_unused_result));

/* The same for a pool whose jobs take turns: keys as for turns_join. */
int worker_submit_for(struct worker_pool *pool, struct job *job, const struct turn_key keys[])
	__attribute__((warn_unused_result));

/* Removes a job that no thread has taken: neither run nor done is called, and it is the
 * caller's again. False when a thread has it. */
bool worker_cancel(struct worker_pool *pool, struct job *job);

/* When a thread took a submitted job, in the time of clock_now(); 0 while the job
 * waits. */
uint64_t worker_began(struct worker_pool *pool, const struct job *job);

/* turns_given of a job that is not done. */
unsigned long worker_turns_given(struct worker_pool *pool, const struct job *job, size_t level);

#endif
