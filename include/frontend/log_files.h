/* The log files that the monitor has opened and sent. Loop thread only. */
#ifndef USHERD_FRONTEND_LOG_FILES_H
#define USHERD_FRONTEND_LOG_FILES_H

/* Keeps fd, which it takes over, for the next log_files_take of path; path "" is the
 * daemon's own log. */
void log_files_add(const char *path, int fd);

/* Returns it: a sink_opener. -1 with errno EALREADY: none was sent. */
int log_files_take(const char *path);

#endif
