/* What a client of the control socket may ask for. Loop thread only. */
#ifndef USHERD_FRONTEND_COMMANDS_H
#define USHERD_FRONTEND_COMMANDS_H

#include "frontend/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Returned by commands_run: the answer comes with the next reload; it is a status. */
enum { COMMAND_WAITS = -1, COMMAND_IS_STATUS = -2 };

/* How long a service is paused unless the client says, and at most; in seconds. */
enum { PAUSE_DEFAULT = 60, PAUSE_MAX = 3600 };

/* What the answer needs that is not there yet. */
struct command_rest {
	uint64_t ticket;       /* COMMAND_WAITS: of the reload */
	enum status_form form; /* COMMAND_IS_STATUS */
};

/* Carries out a request, a line without its newline, which is changed; one that only asks must be
 * for the status. Writes the answer to out and returns its status, or one of the numbers above. */
int commands_run(char *line, bool asks_only, FILE *out, struct command_rest *rest);

/* The status of an answer that is a status, or that ends a reload; the latter is written too. */
int commands_status(void);
int commands_answer_reload(FILE *out);

#endif
