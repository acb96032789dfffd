/* The log files that the monitor has opened and sent. Loop thread only. */
#ifndef USHERD_FRONTEND_LOG_FILES_H
#define USHERD_FRONTEND_LOG_FILES_H

/* The descriptor of the log file at path, the callee's, for whoever opens that next;
 * path "" is the daemon's own log. */
void log_files_add(const char *path, int fd);

/* Gives it away, as a sink_opener does. -1 with errno EALREADY: none was sent. */
int log_files_take(const char *path);

#endif
