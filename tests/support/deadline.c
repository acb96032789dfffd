#include "support/deadline.h"

#include <check.h>
#include <time.h>

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

struct deadline deadline_in(int milliseconds)
{
	return (struct deadline){ .due = now() + milliseconds };
}

int deadline_left(const struct deadline *deadline)
{
	int64_t left = deadline->due - now();

	return left > 0 ? (int)left : 0;
}

void deadline_pause(const struct deadline *deadline, const char *what, const char *file, int line)
{
	static const struct timespec rest = { .tv_nsec = 2000000 };

	if (deadline_left(deadline) == 0)
		ck_abort_msg("%s:%d: waited in vain for %s", file, line, what);
	nanosleep(&rest, NULL);
}
