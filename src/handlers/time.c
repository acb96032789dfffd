/* Time, RFC 868: seconds since 1900, 32 bits, which wrap in 2036. */
#include "base/clock.h"
#include "handlers/handler.h"

#include <arpa/inet.h>
#include <string.h>

#define SECONDS_FROM_1900_TO_1970 2208988800u

static size_t time_answer(const unsigned char *request, size_t length, unsigned char *answer,
			  size_t size)
{
	uint32_t seconds = htonl((uint32_t)clock_wall() + SECONDS_FROM_1900_TO_1970);

	(void)request;
	(void)length;
	if (size < sizeof seconds)
		return 0;
	memcpy(answer, &seconds, sizeof seconds);
	return sizeof seconds;
}

const struct handler time_handler = {
	.name = "time",
	.start = handler_answer_and_close,
	.answer = time_answer,
};
