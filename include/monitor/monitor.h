/* The process that has root's rights: it reads the configuration, binds sockets,
 * opens files, starts and reaps programs, and never reads a byte of a peer. It starts the
 * frontend, which does the rest, and treats every message of the frontend as hostile. */
#ifndef USHERD_MONITOR_MONITOR_H
#define USHERD_MONITOR_MONITOR_H

#include "channel/message.h"
#include "config/loader.h"

#include <stdbool.h>

/* Options of the command line. */
struct monitor_options {
	const char *program;      /* its name, argv[0] */
	const struct load_options *load;
	const char *log_file;     /* MESSAGE_LOG_FILE */
	enum message_log log;
	int log_facility, log_level;
	const char *pid_file;     /* NULL: none */
	unsigned process_limit, ident_limit;
	unsigned check_interval;  /* seconds; 0: never */
	bool is_foreground, stays_alive;
	const char *features;     /* for the first line of the log */
	const char *const *unknown; /* options that were ignored, NULL-ended */
};

/* Runs the daemon until a signal ends it. Returns the exit status. */
int monitor_run(const struct monitor_options *options);

#endif
