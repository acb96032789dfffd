/* The status report's file (handed_file.h). Loop thread only. */
#ifndef USHERD_MONITOR_REPORT_FILE_H
#define USHERD_MONITOR_REPORT_FILE_H

#include "config/settings.h"

#include <stdint.h>

/* A descriptor to write the report to, the caller's to close. -1, logged: it can't be
 * opened, or the previous one is still being written. */
int report_file_open(const struct daemon_settings *daemon);

/* The ticket of the report that is being written. */
uint64_t report_file_ticket(void);

/* The report with that ticket is written: replaces the old one. Harmless when it is not the one
 * that is being written. */
void report_file_finish(uint64_t ticket);

/* The report will not be finished: removes the file. */
void report_file_give_up(void);

#endif
