/* The daemon's own log, in xinetd's format: to a file as
 * "26/11/21@07:07:00 usherd[31226]: NOTICE: text", under its own_name, to syslog as
 * the text alone, on a terminal as "26/11/21@07:07:00 NOTICE: text", and otherwise on standard
 * error without the time. Every function here preserves errno. Before log_to_* is called,
 * messages go to standard error. Loop thread only. */
#ifndef USHERD_BASE_LOG_H
#define USHERD_BASE_LOG_H

#include "base/address.h"
#include "base/log_facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink;

enum log_format {
	LOG_FORMAT_XINETD,
	LOG_FORMAT_JSON,    /* everywhere */
	LOG_FORMAT_JOURNAL, /* what does not go to a file goes to the journal */
	LOG_FORMATS
};

/* "xinetd", "json", "journal". */
const char *log_format_name(enum log_format format);

/* Sends the log to a file, to syslog, or to standard error.
 * 0, or -1 with errno and the log where it was. */
int log_to_file(const char *path) __attribute__((warn_unused_result));
int log_to_syslog(int facility) __attribute__((warn_unused_result));
void log_to_stderr(void);

/* As log_to_stderr, with the time before each line unless standard error leads to the journal. */
void log_to_terminal(void);

/* Messages below level (LOG_ERR, LOG_INFO ... of syslog.h) are dropped; at
 * first LOG_INFO. */
void log_set_level(int level);

/* How all logs are written. */
struct log_style {
	uint8_t format;               /* enum log_format */
	struct source_prefix lengths; /* so many bits of an address are written, the rest as 0 */
};

/* LOG_FORMAT_XINETD and whole addresses until it is set. */
void log_set_style(struct log_style style);

/* The address of a client, or of another peer, as a log may have it: as address_text, with the
 * bits beyond the style's lengths 0. Returns text. */
const char *log_address(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* True when lines for that sink are records of facts: there is one for each event, and its text
 * alone does not say all. NULL: the daemon's own log. */
bool log_takes_facts(const struct sink *sink);

/* A line about a service in its log (NULL: the daemon's own): as facts where the log takes them,
 * otherwise the text. The text is the message in the journal. */
void log_service_line(struct sink *sink, const struct log_facts *facts, const char *text);

/* Where journald listens, /run/systemd/journal/socket unless told otherwise; path stays the
 * caller's and must last. While nobody takes messages there, lines go where they go without
 * it, in xinetd's format, and that is logged once. For tests. */
void log_use_journal_socket(const char *path);

/* From here on errors go to standard error as well as to the log, until
 * log_stop_copying: for a start from a terminal that is not the log. */
void log_copy_errors_to_stderr(void);
void log_stop_copying(void);

/* The log as a sink, for service lines that have no other place. Borrowed until
 * the next log_to_*; NULL only when there is no memory for the first sink. */
struct sink *log_sink(void);

/* One line of at most 1024 bytes, level name included; longer text is cut, and
 * control characters are escaped. */
void log_message(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with facts. */
void log_event(int level, const struct log_facts *facts, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A service is in that state from now on: "up", "waiting" for its socket, "suspended",
 * "old_version" when its new entry has an error, "left_out", "removed". */
void log_state(int level, const char *service, const char *state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#define log_critical(...) log_message(2, __VA_ARGS__)
#define log_error(...) log_message(3, __VA_ARGS__)
#define log_warning(...) log_message(4, __VA_ARGS__)
#define log_notice(...) log_message(5, __VA_ARGS__)
#define log_info(...) log_message(6, __VA_ARGS__)
#define log_debug(...) log_message(7, __VA_ARGS__)

/* As log_error, with ": strerror(error)" after the text. */
void log_failure(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO" or "DEBUG". */
const char *log_level_name(int level);

/* Copies length bytes of hostile text for a log line: printable ASCII as it
 * is, a backslash doubled, everything else as \n, \r, \t or \xHH. Stops at what
 * fits; size includes the final NUL and must be at least 1. Returns escaped. */
char *log_escape(char *escaped, size_t size, const char *bytes, size_t length);

/* The same. Returns how many bytes were copied: at least one, if size is at least 5. */
size_t log_escape_some(char *escaped, size_t size, const char *bytes, size_t length);

#endif
