/* SENSOR: refuses every client. The owner bans the address, so that all services refuse it
 * for deny_time. */
#include "handlers/handler.h"

static void sensor_start(struct session *session)
{
	session_fail(session, REFUSED_ADDRESS, NULL);
}

static size_t sensor_answer(const unsigned char *request, size_t length, unsigned char *answer,
			    size_t size)
{
	(void)request;
	(void)length;
	(void)answer;
	(void)size;
	return 0;
}

const struct handler sensor_handler = {
	.name = "sensor",
	.start = sensor_start,
	.answer = sensor_answer,
};
