/* A log of the target's own, a file that is gone when the process is. */
#ifndef USHERD_TESTS_FUZZ_OWN_LOG_H
#define USHERD_TESTS_FUZZ_OWN_LOG_H

#include <stddef.h>

/* Makes it the daemon's log. */
void own_log_open(void);

/* What has been logged since the last time, valid until the next; *length is
 * without the NUL behind it. At most the first 256 KiB of it. */
char *own_log_take(size_t *length);

/* The text of a line that a file has for a message, behind the time and the
 * process; NULL when it is no such line. */
const char *own_log_message(const char *line);

/* The same for a service's own line. */
const char *own_log_record(const char *line);

#endif
