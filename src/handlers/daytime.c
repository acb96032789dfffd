/* Daytime, RFC 867, in xinetd's form: 21 NOV 2026 07:08:31 UTC. */
#include "base/clock.h"
#include "handlers/handler.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

static size_t daytime_answer(const unsigned char *request, size_t length, unsigned char *answer,
			     size_t size)
{
	static char text[64];
	static size_t text_length;
	static time_t written;
	time_t now = (time_t)clock_wall();

	(void)request;
	(void)length;
	if (now != written) { /* once a second, because conversion to local time is slow */
		struct tm local;

		localtime_r(&now, &local);
		text_length = strftime(text, sizeof text, "%d %b %Y %H:%M:%S %Z\r\n", &local);
		for (char *c = text + 3; c < text + 6; c++)
			*c = (char)toupper((unsigned char)*c);
		written = now;
	}
	if (size < text_length)
		return 0;
	memcpy(answer, text, text_length);
	return text_length;
}

const struct handler daytime_handler = {
	.name = "daytime",
	.start = handler_answer_and_close,
	.answer = daytime_answer,
};
