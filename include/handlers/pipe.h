/* Pipes for splice(2), which moves bytes from socket to socket without copying them. A
 * new pipe costs more than most connections would save, so pipes are kept and used
 * again. Each needs two descriptors, so there are few. Loop thread only. */
#ifndef USHERD_HANDLERS_PIPE_H
#define USHERD_HANDLERS_PIPE_H

#include <stddef.h>

enum {
	PIPES_MAX = 64,  /* in use at once */
	PIPES_SPARE = 8, /* kept for the next one */
	PIPE_SIZE = 1 << 20,
};

struct pipe {
	int read_end, write_end; /* non-blocking */
	size_t length;           /* the user's: bytes in it */
};

/* An empty one. NULL when there is none, for any reason. */
struct pipe *pipe_take(void);

/* Preserves errno. */
void pipe_give_back(struct pipe *pipe);

#endif
