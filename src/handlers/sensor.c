/* SENSOR: refuses every client. The owner bans the address, so that all services refuse it
 * for deny_time. */
#include "handlers/handler.h"

static void sensor_start(struct session *session)
{
	session_fail(session, REFUSED_ADDRESS, NULL);
}

const struct handler sensor_handler = {
	.name = "sensor",
	.start = sensor_start,
	.answer = handler_no_answer,
};
