#include "base/clock.h"

#include <time.h>

static uint64_t now;
static int64_t wall;

uint64_t clock_read(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

void clock_update(void)
{
	struct timespec time;

	now = clock_read();
	clock_gettime(CLOCK_REALTIME_COARSE, &time);
	wall = time.tv_sec;
}

uint64_t clock_now(void)
{
	return now;
}

int64_t clock_wall(void)
{
	return wall;
}
