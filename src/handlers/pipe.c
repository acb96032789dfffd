#include "handlers/pipe.h"

#include "base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct pipe *spare[PIPES_SPARE];
static unsigned spares, in_use;
static struct share descriptors; /* of all pipes together */

static struct pipe *pipe_open(void)
{
	struct pipe *pipe;
	int ends[2];

	share_join(descriptors_shares(), &descriptors);
	if (!share_take(descriptors_shares(), &descriptors, 2))
		return NULL;
	pipe = calloc(1, sizeof *pipe);
	if (!pipe || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		share_give_back(descriptors_shares(), &descriptors, 2);
		free(pipe);
		return NULL;
	}
	/* The kernel may allow an ordinary user less, which works too. */
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	pipe->read_end = ends[0];
	pipe->write_end = ends[1];
	return pipe;
}

static void pipe_close(struct pipe *pipe)
{
	int error = errno;

	close(pipe->read_end);
	close(pipe->write_end);
	share_give_back(descriptors_shares(), &descriptors, 2);
	free(pipe);
	errno = error;
}

struct pipe *pipe_take(void)
{
	struct pipe *pipe;

	if (in_use == PIPES_MAX)
		return NULL;
	pipe = spares > 0 ? spare[--spares] : pipe_open();
	if (pipe)
		in_use++;
	return pipe;
}

void pipe_give_back(struct pipe *pipe)
{
	in_use--;
	if (pipe->length == 0 && spares < PIPES_SPARE)
		spare[spares++] = pipe;
	else
		pipe_close(pipe);
}
