/* How often something took how long, counted in a few ranges. Pure. */
#ifndef USHERD_BASE_HISTOGRAM_H
#define USHERD_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 12 };

/* bounds and size are set by its maker, the rest is 0 at first. */
struct histogram {
	const uint32_t *bounds_ms; /* ascending; the last range, beyond them, has no bound */
	unsigned size;             /* of bounds_ms, at most HISTOGRAM_BOUNDS_MAX */
	uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* in each range, a bound included */
	uint64_t sum_ms;
};

void histogram_add(struct histogram *histogram, uint64_t ms);

/* How many were added. */
uint64_t histogram_count(const struct histogram *histogram);

#endif
