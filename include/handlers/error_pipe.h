/* stderr = log: what a server writes to its standard error goes to the daemon's
 * log, line by line, escaped. */
#ifndef USHERD_HANDLERS_ERROR_PIPE_H
#define USHERD_HANDLERS_ERROR_PIPE_H

/* Opens a pipe whose lines are logged under id (copied) until everybody has
 * closed the writing end. Returns that end, the caller's to close, or -1 with
 * errno. */
int error_pipe_open(const char *id);

#endif
