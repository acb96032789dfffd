/* Commands that examine a configuration without running it, or ask the daemon that runs. Each
 * prints its answer on standard output and returns the exit status. */
#ifndef USHERD_INSPECT_H
#define USHERD_INSPECT_H

#include "config/loader.h"

#include <stdbool.h>
#include <stdio.h>

/* All problems with file:line and remedy, by file and line, and a summary; or all
 * of them as one JSON array of objects with severity, file, line (0: none) and
 * text. 0, or 1 when some service, or the whole daemon, would not start. */
int inspect_check(const struct load_options *options, bool as_json);

/* The effective configuration as entries that load again to equal settings. Services
 * that are disabled or have an error are left out, and named in a comment at the top.
 * Problems go to standard error. 0, or 1 when the load fails. */
int inspect_print(const struct load_options *options);

/* inspect_print for settings that are loaded already. */
void inspect_print_settings(const struct settings *settings, FILE *out);

/* Whether the service, an id or a name, would admit address at the time (H:MM;
 * NULL: now), and which rule on which line decides; for every service with that
 * name. 0: all of them would; 1: one would not, or there is no such service. */
int inspect_explain(const struct load_options *options, const char *service, const char *address,
		    const char *time);

/* Asks the running daemon at its control socket (config/control_socket.h), which the
 * configuration names if it can be read, which it must be if its file is given; words are the
 * request, NULL-ended. Returns the status of the answer; 2, reported, when no daemon answers. */
int inspect_ask(const struct load_options *options, bool is_file_given, const char *const words[]);

/* Writes problems of at least that severity, one line each, by file and line. */
void inspect_report(const struct problems *problems, enum severity least, FILE *out);

#endif
