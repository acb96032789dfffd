/* The status report's file: a new one beside the old one, which the frontend fills,
 * and which then takes the old one's place. Readers see a whole report, and a link
 * laid in its way is replaced, not followed. Loop thread only. */
#ifndef USHERD_MONITOR_REPORT_FILE_H
#define USHERD_MONITOR_REPORT_FILE_H

#include "config/settings.h"

/* How long the frontend may take to fill it. */
enum { REPORT_DEADLINE_MS = 10000 };

/* A descriptor to write the report to, the caller's to close. -1, logged: there is
 * none, or the one before is still being written. */
int report_file_open(const struct daemon_settings *daemon);

/* It is written: puts it in its place. Harmless when none is being written. */
void report_file_finish(void);

/* Nobody will finish it. */
void report_file_give_up(void);

#endif
