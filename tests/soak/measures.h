/* What the daemon says of itself, and what is in the logs. */
#ifndef USHERD_TESTS_SOAK_MEASURES_H
#define USHERD_TESTS_SOAK_MEASURES_H

#include <stdint.h>

/* Asks at the control socket, without starting a program. Returns the answer without its first
 * line; the test fails if there is none. */
const char *measures_ask(const char *request);

/* The value of a measure in an answer to "status prometheus"; 0: it is not there. label is what
 * stands between the braces, or NULL. */
uint64_t measures_value(const char *answer, const char *name, const char *label);

/* The same for one of a service; reason may be NULL. */
uint64_t measures_of(const char *answer, const char *name, const char *id, const char *reason);

/* Fails the test if answer is no text in Prometheus's format. */
void measures_check(const char *answer);

/* Calls see for each line of a log, and of the files that it was moved to. */
void log_each(const char *name, void (*see)(const char *line, void *context), void *context);

/* How many lines contain text, or both texts. */
unsigned log_count(const char *name, const char *text);
unsigned log_count_both(const char *name, const char *one, const char *other);

#endif
