#include "frontend/adoption.h"

#include "admission/host_names.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/sink.h"
#include "base/region.h"
#include "frontend/ask.h"
#include "frontend/candidates.h"
#include "frontend/handover.h"
#include "frontend/lifecycle.h"
#include "frontend/listening.h"

#include <stdlib.h>

static const struct generation *current;
static struct service **by_number; /* NULL where a service could not be started */
static void (*when_done)(uint32_t bound, uint32_t wanted);
static struct timer names_deadline;

size_t adoption_service_count(void)
{
	const struct service *service;
	size_t count = 0;

	TAILQ_FOREACH(service, &services, link)
		count += !service->is_draining;
	return count;
}

void adoption_free(void)
{
	while (!TAILQ_EMPTY(&services))
		service_free(TAILQ_FIRST(&services));
}

const struct generation *adoption_generation(void)
{
	return current;
}

struct service *adoption_service(uint32_t number)
{
	return current && number < current->count && by_number ? by_number[number] : NULL;
}

/* --- services that run ------------------------------------------------------------------- */

/* What was refused, or served, is over, whatever the settings are. */
static bool is_over(const struct session *session)
{
	return session->is_refused || session->state == SESSION_CLOSING;
}

/* Ends the sessions whose peers the new settings would not admit. */
static void recheck_sessions(struct service *service)
{
	struct session *session, *next;

	for (session = LIST_FIRST(&service->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (is_over(session) || candidate_is_allowed(service, &session->peer))
			continue;
		service_refused(service,
				&(struct refusal){ .verdict = REFUSED_ADDRESS,
						   .peer = &session->peer,
						   .session = session },
				NULL);
		session_end(session, END_RELOAD);
	}
}

/* Sessions that began while per_source was not set count from now on. */
static void recount_sources(struct service *service)
{
	struct session *session;

	LIST_FOREACH(session, &service->sessions, link)
		if (session->is_counted && !session->source)
			session->source =
				quota_recount(&service->quota, service->settings, &session->peer);
}

static bool is_changed(const struct service *service, const struct service_settings *settings)
{
	return !generation_equal(service->settings, settings);
}

static void adopt(struct service *service, struct service_settings *settings, uint32_t number)
{
	if (!is_changed(service, settings)) {
		service_move(service, settings, number);
	} else if (service_adopt(service, settings, number)) {
		recheck_sessions(service);
		recount_sources(service);
	}
}

/* --- carrying it out -------------------------------------------------------------------------- */

static void offer_sockets(const struct generation *next, struct service *const running[])
{
	for (uint32_t i = 0; i < next->count; i++)
		if (running[i] && is_changed(running[i], next->services[i]))
			handover_offer(running[i], next->services[i]);
}

static void drop_the_rest(struct service *const running[], uint32_t count)
{
	struct service *service, *next;

	for (uint32_t i = 0; i < count; i++)
		if (running[i])
			running[i]->is_continued = true;
	for (service = TAILQ_FIRST(&services); service; service = next) {
		next = TAILQ_NEXT(service, link);
		if (!service->is_continued && !service->is_draining) {
			handover_offer(service, NULL);
			service_remove(service);
		} else {
			service->is_continued = false;
		}
	}
}

/* For each service of the next generation the running service that continues as it;
 * NULL: it is new. */
static struct service **find_running(const struct generation *next)
{
	struct service **running = calloc(next->count + 1, sizeof *running);

	for (uint32_t i = 0; running && i < next->count; i++)
		running[i] = next->continues[i] == SERVICE_IS_NEW
				     ? NULL
				     : adoption_service(next->continues[i]);
	return running;
}

/* A service may have the log of one that is removed. */
static void hold_logs(const struct generation *next)
{
	for (uint32_t i = 0; i < next->count; i++)
		if (next->services[i]->log.kind == LOG_KIND_FILE)
			sink_hold_file(next->services[i]->log.path);
}

static void carry_out(const struct generation *next, struct service **running)
{
	handover_begin();
	hold_logs(next);
	offer_sockets(next, running);
	drop_the_rest(running, next->count);
	for (uint32_t i = 0; i < next->count; i++)
		if (running[i])
			adopt(running[i], next->services[i], i);
		else
			running[i] = service_start(next->services[i], i);
	sink_let_files_go();
	handover_end();
}

/* Opens the sockets that no running service has handed over. */
static void open_new_sockets(void)
{
	struct service *service;
	struct listener *listener;

	ask_together();
	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(listener, &service->listeners, link)
			if (!listener_is_open(listener) && !service->is_suspended)
				listener_open(listener);
	ask_now();
}

/* --- when it is in force ---------------------------------------------------------------------- */

static bool is_looking_up_names(void)
{
	const struct service *service;

	TAILQ_FOREACH(service, &services, link)
		if (listening_is_looking_up(service))
			return true;
	return false;
}

static void count_sockets(uint32_t *bound, uint32_t *wanted)
{
	const struct service *service;
	const struct listener *listener;

	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(listener, &service->listeners, link) {
			*wanted += 1;
			*bound += listener_is_open(listener);
		}
}

/* Some of what is configured is not served; a higher limit is the only remedy. */
static void warn_of_few_descriptors(void)
{
	unsigned refused = descriptors_refused();

	if (refused > 0)
		log_error(
			"%u sockets and log files can't be opened: the limit of %u descriptors must "
			"be higher (ulimit -n)",
			refused, descriptors_limit());
}

static void finish(void)
{
	void (*done)(uint32_t, uint32_t) = when_done;
	uint32_t bound = 0, wanted = 0;

	when_done = NULL;
	timer_stop(&names_deadline);
	warn_of_few_descriptors();
	count_sockets(&bound, &wanted);
	done(bound, wanted);
	memory_give_back();
}

static void on_turn_end(void)
{
	if (when_done && listeners_asked() == 0 &&
	    (!timer_is_pending(&names_deadline) || !is_looking_up_names()))
		finish();
}

static void on_names_deadline(struct timer *timer)
{
	(void)timer; /* on_turn_end sees that it is no longer pending */
}

static void watch_for_the_end(void)
{
	static bool is_watching;

	timer_init(&names_deadline, on_names_deadline);
	timer_start(&names_deadline, ADOPTION_NAMES_MS);
	if (!is_watching)
		loop_at_turn_end(on_turn_end);
	is_watching = true;
}

void adoption_begin(const struct generation *generation,
		    void (*done)(uint32_t bound, uint32_t wanted))
{
	struct service **running = find_running(generation);

	when_done = done;
	if (!running) {
		log_error("out of memory for the new configuration");
		exit(EXIT_FAILURE); /* the next frontend starts with this generation */
	}
	ask_use_generation(generation->number);
	carry_out(generation, running);
	free(by_number);
	by_number = running;
	region_retire(region_of(current));
	current = generation;
	host_names_forget();
	open_new_sockets();
	watch_for_the_end();
}
