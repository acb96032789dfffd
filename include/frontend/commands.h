/* What a client of the control socket may ask for. Loop thread only. */
#ifndef USHERD_FRONTEND_COMMANDS_H
#define USHERD_FRONTEND_COMMANDS_H

#include <stdint.h>
#include <stdio.h>

/* Returned by commands_run: the answer comes with the next reload. */
enum { COMMAND_WAITS = -1 };

/* How long a service is paused unless the client says, and at most; in seconds. */
enum { PAUSE_DEFAULT = 60, PAUSE_MAX = 3600 };

/* Carries out a request, a line without its newline, which is changed. Writes the answer to out
 * and returns its status; or COMMAND_WAITS, with the ticket of the reload. */
int commands_run(char *line, FILE *out, uint64_t *ticket);

/* The answer to a reload. Returns its status. */
int commands_answer_reload(FILE *out);

#endif
