#include "frontend/totals.h"

#include "base/clock.h"

#define SIZE(bounds) (sizeof(bounds) / sizeof(bounds)[0])

static const uint32_t session_bounds[] = { 10,     100,     1000,    5000,     15000,   60000,
					   300000, 1800000, 7200000, 28800000, 86400000 };
static const uint32_t launch_bounds[] = { 1, 2, 5, 10, 25, 50, 100, 250, 1000, 5000 };

static struct histogram sessions = { .bounds_ms = session_bounds, .size = SIZE(session_bounds) };
static struct histogram launches = { .bounds_ms = launch_bounds, .size = SIZE(launch_bounds) };

_Static_assert(SIZE(session_bounds) <= HISTOGRAM_BOUNDS_MAX, "too many bounds");
_Static_assert(SIZE(launch_bounds) <= HISTOGRAM_BOUNDS_MAX, "too many bounds");

void totals_session_begun(const struct session *session)
{
	if (session->launched)
		histogram_add(&launches, clock_now() - session->launched);
}

void totals_session_over(const struct session *session)
{
	uint64_t end = session->ended ? session->ended : clock_now();

	if (session->has_begun)
		histogram_add(&sessions, end > session->opened ? end - session->opened : 0);
}

const struct histogram *totals_sessions(void)
{
	return &sessions;
}

const struct histogram *totals_launches(void)
{
	return &launches;
}
