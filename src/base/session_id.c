#include "base/session_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static uint64_t microseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct session_id session_id_new(void)
{
	static struct session_id last;

	if (last.run == 0)
		last.run = microseconds_now();
	last.number++;
	return last;
}

const char *session_id_text(struct session_id id, char text[static SESSION_ID_SIZE])
{
	text[0] = '\0';
	if (id.run != 0)
		snprintf(text, SESSION_ID_SIZE, "%" PRIx64 "-%" PRIx64, id.run, id.number);
	return text;
}
