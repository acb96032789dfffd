/* Opens log files. As root, no link is followed that somebody else can have laid,
 * and where others can lay files only a regular file with one name is written to. */
#ifndef USHERD_BASE_LOG_FILE_H
#define USHERD_BASE_LOG_FILE_H

/* Opens path for appending, created with mode 0644 less the umask. Returns the
 * descriptor, close-on-exec and non-blocking, or -1 with errno and log_file_error. */
int log_file_open(const char *path) __attribute__((warn_unused_result));

/* Why a log file could not be opened the last time; valid until the next one. */
const char *log_file_error(void);

/* Has log_file_error say this. */
void log_file_say(const char *reason);

#endif
