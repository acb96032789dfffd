/* The command line: xinetd's options, in single-dash and double-dash form, and
 * usherd's own. */
#ifndef USHERD_OPTIONS_H
#define USHERD_OPTIONS_H

#include "config/serve.h"
#include "import/files.h"

#include <stdbool.h>
#include <stdint.h>

enum command {
	COMMAND_RUN,
	COMMAND_CHECK,   /* -check: what is wrong with the configuration? */
	COMMAND_PRINT,   /* -print: the effective configuration */
	COMMAND_EXPLAIN, /* -explain: would this peer be admitted? */
	COMMAND_ASK,     /* -status and its like: the running daemon is asked */
	COMMAND_IMPORT,  /* -import: entries made from files of other programs */
	COMMAND_VERSION,
	COMMAND_HELP,
	COMMAND_MISUSED, /* reported; exit status 1 */
};

enum { UNKNOWN_MAX = 16 };

struct options {
	enum command command;
	const char *config;      /* -f, or the usual one */
	bool is_config_given;    /* false: the usual one */
	const char *log_file;    /* -filelog; NULL */
	int log_facility;        /* -syslog; -1 */
	unsigned log_format;     /* -log_format: enum log_format (base/log.h) */
	const char *pid_file;    /* -pidfile; NULL */
	unsigned process_limit;  /* -limit; 0: none */
	unsigned log_processes;  /* -logprocs */
	unsigned check_interval; /* -cc, seconds; 0: none */
	bool debug, foreground, stay_alive, inetd_compat;
	const char *unknown[UNKNOWN_MAX + 1];     /* ignored; NULL-ended */
	bool as_json;                             /* -check=json */
	struct serve serve;                       /* -serve; its port is NULL: no such option */
	const char *explain[3];                   /* service, address, and time or NULL */
	const char *import[IMPORT_FILES_MAX + 1]; /* -import; NULL-ended */
	const char *request[4];                   /* what the daemon is asked, NULL-ended */
};

/* Reads the command line; errors are reported on standard error. An unknown option is
 * an error. A daemon with the name xinetd (own_name.h) ignores it with a message, as
 * xinetd does. */
struct options options_parse(int argc, char **argv);

/* Lists every option on standard output. */
void options_print_help(void);

/* The names of all options, NULL-ended: for the test of the manual. */
const char *const *options_names(void);

#endif
