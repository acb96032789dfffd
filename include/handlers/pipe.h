/* Pipes through which splice(2) moves bytes from socket to socket without copying
 * them. A new pipe costs more than most connections would gain by it, so they are
 * kept and used again; and as each is two descriptors, they are few. Loop thread
 * only. */
#ifndef USHERD_HANDLERS_PIPE_H
#define USHERD_HANDLERS_PIPE_H

#include <stddef.h>

enum {
	PIPES_MOST = 64, /* in use at once */
	PIPES_SPARE = 8, /* kept for the next one */
	PIPE_SIZE = 1 << 20,
};

struct pipe {
	int read_end, write_end; /* non-blocking */
	size_t length;           /* the user's: what is in it */
};

/* An empty one. NULL when there are none left, for whatever reason. */
struct pipe *pipe_take(void);

/* Preserves errno. */
void pipe_give_back(struct pipe *pipe);

#endif
