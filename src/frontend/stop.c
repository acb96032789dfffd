#include "frontend/stop.h"

#include "frontend/lifecycle.h"
#include "handlers/error_pipe.h"
#include "handlers/launch.h"

#include <stdbool.h>

static bool is_ending;

static void each_session(void (*end)(struct session *session, enum end_reason reason))
{
	struct service *service, *next_service;
	struct session *session, *next;

	for (service = TAILQ_FIRST(&services); service; service = next_service) {
		next_service =
			TAILQ_NEXT(service,
				   link); /* a draining service is freed with its last session */
		for (session = LIST_FIRST(&service->sessions); session; session = next) {
			next = LIST_NEXT(session, link);
			end(session, END_STOP);
		}
	}
}

static void stop_listening(void)
{
	struct service *service;

	is_ending = true;
	TAILQ_FOREACH(service, &services, link)
		service_stop_listening(service);
}

void stop_begin(void)
{
	if (is_ending) {
		each_session(session_kill);
		loop_stop();
		return;
	}
	stop_listening();
	each_session(session_end);
	launch_when_idle(loop_stop);
}

void stop_leaving_programs(void)
{
	stop_listening();
	error_pipes_leave();
	loop_stop();
}
