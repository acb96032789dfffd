#include "server/shutdown.h"

#include "base/log.h"
#include "handlers/error_pipe.h"
#include "handlers/launch.h"
#include "handlers/orphans.h"
#include "server/service.h"

#include <signal.h>
#include <stdbool.h>

/* For processes that not even SIGKILL ends at once. */
enum { LAST_DEADLINE_MS = SESSION_GRACE_MS + 2000 };

static bool is_ending;
static struct timer grace, deadline;

static void each_session(void (*end)(struct session *session))
{
	struct service *service, *next_service;
	struct session *session, *next;

	for (service = TAILQ_FIRST(&services); service; service = next_service) {
		next_service = TAILQ_NEXT(service, link); /* a draining service goes with its last session */
		for (session = LIST_FIRST(&service->sessions); session; session = next) {
			next = LIST_NEXT(session, link);
			end(session);
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

bool shutdown_has_begun(void)
{
	return is_ending;
}

static void finish(void)
{
	log_warning("Exiting...");
	loop_stop();
}

/* Sessions see to their own programs. */
static void on_grace_over(struct timer *timer)
{
	(void)timer;
	orphans_end(SIGKILL);
}

static void on_deadline(struct timer *timer)
{
	(void)timer;
	finish();
}

void shutdown_begin(void)
{
	if (is_ending) {
		each_session(session_kill);
		orphans_end(SIGKILL);
		finish();
		return;
	}
	stop_listening();
	each_session(session_end);
	orphans_end(SIGTERM);
	timer_init(&grace, on_grace_over);
	timer_start(&grace, SESSION_GRACE_MS);
	timer_init(&deadline, on_deadline);
	timer_start(&deadline, LAST_DEADLINE_MS);
	launch_when_idle(finish);
}

void shutdown_leaving_servers(void)
{
	stop_listening();
	error_pipes_leave();
	finish();
}
