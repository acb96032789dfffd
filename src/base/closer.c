#include "base/closer.h"

#include "base/container_of.h"
#include "base/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct closing {
	struct job job;
	int fd;
};

static struct worker_pool *pool;

static void on_run(struct job *job)
{
	close(container_of(job, struct closing, job)->fd);
}

static void on_done(struct job *job)
{
	free(container_of(job, struct closing, job));
}

/* Without threads there may be no pool either. */
static int submit(struct closing *closing, uint64_t owner)
{
	static const unsigned shares[] = { 0, CLOSERS_OF_OWNER_MAX };
	const struct turn_key key = turn_key_number(owner);

	if (!pool)
		pool = worker_pool_new_shared(1, CLOSERS_MAX, 1, shares);
	return pool ? worker_submit_for(pool, &closing->job, &key) : -1;
}

void closer_close(int fd, uint64_t owner)
{
	int error = errno;
	struct closing *closing = fd >= 0 ? calloc(1, sizeof *closing) : NULL;

	if (closing)
		*closing = (struct closing){ .job = { .run = on_run, .done = on_done }, .fd = fd };
	if (fd >= 0 && (!closing || submit(closing, owner) < 0)) {
		close(fd);
		free(closing);
	}
	errno = error;
}
