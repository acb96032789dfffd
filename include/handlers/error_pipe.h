/* stderr = log: what a server writes to its standard error goes to the daemon's
 * log, line by line, escaped. A service that writes more than ERROR_LINES_RATE lines a
 * second, after ERROR_LINES_BURST at once, has the others dropped, which the log tells
 * with their number. Loop thread only. */
#ifndef USHERD_HANDLERS_ERROR_PIPE_H
#define USHERD_HANDLERS_ERROR_PIPE_H

enum {
	ERROR_LINES_RATE = 100,
	ERROR_LINES_BURST = 1000,
	/* For how long what a program left behind may go on to write. */
	ERROR_PIPE_GRACE_MS = 2000,
};

struct error_pipe;

/* Opens a pipe whose lines are logged under id (copied) until everybody has
 * closed the writing end, *write_end, which is the caller's to close. NULL with errno.
 * To be given to error_pipe_release. */
struct error_pipe *error_pipe_open(const char *id, int *write_end);

/* The same for a pipe that another process opened: read_end is taken over, whatever
 * comes of it. */
struct error_pipe *error_pipe_resume(const char *id, int read_end);

/* The end that is read here; it stays the pipe's. */
int error_pipe_read_end(const struct error_pipe *pipe);

/* The program is over, or was never started: what still holds the pipe a grace time
 * later writes to nobody. NULL is harmless. */
void error_pipe_release(struct error_pipe *pipe);

/* How many are open. */
unsigned error_pipe_count(void);

/* For a daemon that ends before its programs: leaves a process that reads what they
 * write, and throws it away, for as long as they run. Without a reader they would end
 * at the next line, by SIGPIPE, or wait for ever. */
void error_pipes_leave(void);

#endif
