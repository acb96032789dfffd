/* Waiting with a bound: tests poll for what they wait for and give up in the
 * end, they never sleep for a time that is hoped to be enough. */
#ifndef USHERD_TESTS_DEADLINE_H
#define USHERD_TESTS_DEADLINE_H

#include <stdint.h>

/* Far beyond what anything takes, on a loaded machine and under sanitizers. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { DEADLINE_MS = 20000 };
#else
enum { DEADLINE_MS = 10000 };
#endif

struct deadline {
	int64_t due; /* milliseconds, CLOCK_MONOTONIC */
};

struct deadline deadline_in(int milliseconds);

/* What is left of it, 0 when it has passed. */
int deadline_left(const struct deadline *deadline);

/* Rests a little, or fails the test when deadline has passed. */
void deadline_pause(const struct deadline *deadline, const char *what, const char *file, int line);

/* Goes on when condition is true, and fails the test when it never becomes so. */
#define wait_until(condition) \
	for (struct deadline deadline_ = deadline_in(DEADLINE_MS); !(condition);) \
	deadline_pause(&deadline_, #condition, __FILE__, __LINE__)

#endif
