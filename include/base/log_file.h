/* Opens log files. As root, it follows no link that another user can have made, and
 * where others can create files it opens only a regular file with one hard link. */
#ifndef USHERD_BASE_LOG_FILE_H
#define USHERD_BASE_LOG_FILE_H

/* Opens path for appending, created with mode 0644 less the umask. A path that stands for a
 * descriptor that the daemon was started with (start_descriptors.h) is not opened: that
 * descriptor is meant. Returns a descriptor, close-on-exec and, unless it is one of the
 * start's, non-blocking, or -1 with errno and log_file_error. */
int log_file_open(const char *path) __attribute__((warn_unused_result));

/* Why a log file could not be opened the last time; valid until the next one. */
const char *log_file_error(void);

/* Sets what log_file_error returns. */
void log_file_say(const char *reason);

#endif
