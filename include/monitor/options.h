/* The monitor's options of the command line. */
#ifndef USHERD_MONITOR_OPTIONS_H
#define USHERD_MONITOR_OPTIONS_H

#include "channel/message.h"
#include "config/loader.h"

#include <stdbool.h>

struct monitor_options {
	const char *program; /* its name, argv[0] */
	const struct load_options *load;
	const char *log_file; /* MESSAGE_LOG_FILE */
	enum message_log log;
	uint8_t log_format; /* enum log_format (base/log.h) */
	int log_facility, log_level;
	const char *pid_file; /* NULL: none */
	unsigned process_limit, ident_limit;
	unsigned check_interval; /* seconds; 0: never */
	bool is_foreground, stays_alive;
	const char *features;       /* for the first line of the log */
	const char *const *unknown; /* options that were ignored, NULL-ended */
};

#endif
