/* The measures of the daemon in a file (handed_file.h), for the textfile collector of
 * Prometheus' node_exporter: metrics_file in the daemon entry. Loop thread only. */
#ifndef USHERD_MONITOR_METRICS_FILE_H
#define USHERD_MONITOR_METRICS_FILE_H

#include <stdint.h>

/* How often the file is written. */
enum { METRICS_FILE_MS = 15000 };

/* From now on the file with that absolute path is written; NULL: none. The one before is
 * removed. A file of something else is not replaced. A failure is logged, once until one is
 * written again. */
void metrics_file_use(const char *path);

/* The frontend has written what had that ticket, or, with an errno, can't write it; it will not.
 * Harmless when that is not being written. */
void metrics_file_written(uint64_t ticket, int error);
void metrics_file_give_up(void);

/* Removes it: old numbers of a daemon that is gone would be shown for ever. */
void metrics_file_finish(void);

#endif
