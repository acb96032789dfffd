#include "base/histogram.h"

void histogram_add(struct histogram *histogram, uint64_t ms)
{
	unsigned range = 0;

	while (range < histogram->size && ms > histogram->bounds_ms[range])
		range++;
	histogram->counts[range]++;
	histogram->sum_ms += ms;
}

uint64_t histogram_count(const struct histogram *histogram)
{
	uint64_t count = 0;

	for (unsigned range = 0; range <= histogram->size; range++)
		count += histogram->counts[range];
	return count;
}
