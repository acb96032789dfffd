/* What can be asked about a configuration without running it. Each prints its
 * answer on standard output and returns the exit status. */
#ifndef USHERD_INSPECT_H
#define USHERD_INSPECT_H

#include "config/loader.h"

#include <stdbool.h>
#include <stdio.h>

/* Every problem with file:line and remedy, by file and line, and a summary; or all
 * of them as one JSON array of objects with severity, file, line (0: none) and
 * text. 0, or 1 when some service, or the whole, would not be started. */
int inspect_check(const struct load_options *options, bool as_json);

/* The effective configuration as entries that load again to equal settings. What
 * is switched off or broken is left out, and named in a comment at the top. What
 * is wrong goes to standard error. 0, or 1 when the load is refused. */
int inspect_print(const struct load_options *options);

/* Writes what inspect_print does of settings that are loaded already. */
void inspect_print_settings(const struct settings *settings, FILE *out);

/* Whether the service, an id or a name, would admit address at the time (H:MM;
 * NULL: now), and which rule on which line decides; for every service of that
 * name. 0: all of them would; 1: one would not, or there is no such service. */
int inspect_explain(const struct load_options *options, const char *service, const char *address,
		    const char *time);

/* Writes problems of at least that severity, a line each, by file and line. */
void inspect_report(const struct problems *problems, enum severity least, FILE *out);

#endif
