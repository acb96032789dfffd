/* stderr = log: a server's standard error goes to the daemon's log, line by line,
 * escaped. A service may write ERROR_LINES_BURST lines at once and then ERROR_LINES_RATE
 * a second; further lines are dropped, and the log gives their number. Loop thread
 * only. */
#ifndef USHERD_HANDLERS_ERROR_PIPE_H
#define USHERD_HANDLERS_ERROR_PIPE_H

enum {
	ERROR_LINES_RATE = 100,
	ERROR_LINES_BURST = 1000,
	/* How long processes that a program left behind can go on writing. */
	ERROR_PIPE_GRACE_MS = 2000,
};

struct error_pipe;

/* Opens a pipe whose lines are logged under id (copied) until all copies of the write
 * end, *write_end, are closed; the caller must close its own. NULL with errno. To be
 * given to error_pipe_release. */
struct error_pipe *error_pipe_open(const char *id, int *write_end);

/* The same for a pipe that another process opened: read_end is taken over, also on
 * failure. */
struct error_pipe *error_pipe_resume(const char *id, int read_end);

/* The read end; it stays the pipe's. */
int error_pipe_read_end(const struct error_pipe *pipe);

/* The program has ended, or was not started: the read end is closed after a grace time.
 * NULL is harmless. */
void error_pipe_release(struct error_pipe *pipe);

/* How many are open. */
unsigned error_pipe_count(void);

/* For a daemon that ends before its programs: leaves a process that reads and discards
 * what they write, as long as they run. Without a reader SIGPIPE would end them at the
 * next line. */
void error_pipes_leave(void);

#endif
