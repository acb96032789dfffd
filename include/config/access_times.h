/* access_times: at what times of the day a service admits clients. Pure. */
#ifndef USHERD_CONFIG_ACCESS_TIMES_H
#define USHERD_CONFIG_ACCESS_TIMES_H

#include <stdbool.h>
#include <stddef.h>

/* Minutes since midnight, both inclusive, so 22:00-6:00 ends at 6:00:59.
 * last < first crosses midnight. */
struct access_interval {
	int first, last; /* 0 to 1439; 24:00 as an end is 1439 */
};

/* Reads "H:MM-H:MM" (hours of one or two digits 0 to 23, or 24:00 as the end;
 * minutes of one or two digits). Returns 0, or -1 with *interval untouched when
 * text is anything else or begins and ends with the same minute. */
int access_interval_parse(struct access_interval *interval, const char *text)
	__attribute__((warn_unused_result));

/* True when minute lies in one of the intervals, or there are none. */
bool access_times_allow(const struct access_interval *intervals, size_t count, int minute);

#endif
