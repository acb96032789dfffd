#include "frontend/service.h"

#include "admission/intercept.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "session/folds.h"
#include "session/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

struct service_list services = TAILQ_HEAD_INITIALIZER(services);

/* --- state --------------------------------------------------------------------------------- */

bool service_is_full(const struct service *service)
{
	return service->settings->admission->at_limit == AT_LIMIT_QUEUE &&
	       quota_judge_instances(&service->quota, service->settings) != ADMITTED;
}

bool service_awaits_names(const struct service *service)
{
	return !LIST_EMPTY(&service->lookups);
}

bool service_is_bound(const struct service *service)
{
	const struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener_is_open(listener))
			return false;
	return !service_awaits_names(service);
}

static bool all_sockets_are_with_servers(const struct service *service)
{
	const struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener->server)
			return false;
	return !LIST_EMPTY(&service->listeners);
}

enum service_state service_state(const struct service *service)
{
	if (service->is_draining)
		return SERVICE_DRAINING;
	if (service->is_paused)
		return SERVICE_PAUSED;
	if (service->is_suspended)
		return SERVICE_SUSPENDED;
	if (!service_is_bound(service))
		return SERVICE_RETRYING;
	if (all_sockets_are_with_servers(service))
		return SERVICE_WAITING;
	if (service_is_full(service))
		return SERVICE_FULL;
	return service->is_throttled ? SERVICE_THROTTLED : SERVICE_LISTENING;
}

const char *service_state_text(enum service_state state)
{
	static const char *const texts[] = {
		[SERVICE_LISTENING] = "listening", [SERVICE_FULL] = "full",
		[SERVICE_THROTTLED] = "throttled", [SERVICE_SUSPENDED] = "suspended",
		[SERVICE_PAUSED] = "paused",       [SERVICE_WAITING] = "waiting",
		[SERVICE_RETRYING] = "retrying",   [SERVICE_DRAINING] = "draining",
	};

	return texts[state];
}

void service_refresh(struct service *service)
{
	bool wanted = !service->is_throttled && !service->is_paused && !service_is_full(service);
	struct listener *listener;

	LIST_FOREACH(listener, &service->listeners, link)
		listener_set_polled(listener, wanted && !listener->server);
}

static void on_resume(struct timer *timer)
{
	struct service *service = container_of(timer, struct service, resume);
	struct listener *listener;

	service->is_throttled = false;
	if (service->is_suspended) {
		service->is_suspended = false;
		service->is_resuming = true;
		LIST_FOREACH(listener, &service->listeners, link)
			listener_open(listener);
	}
	service_refresh(service);
}

static void on_pause_over(struct timer *timer)
{
	service_resume(container_of(timer, struct service, pause));
}

struct service *service_new(void)
{
	struct service *service = calloc(1, sizeof *service);

	if (!service)
		return NULL;
	LIST_INIT(&service->listeners);
	LIST_INIT(&service->sessions);
	LIST_INIT(&service->lookups);
	timer_init(&service->resume, on_resume);
	timer_init(&service->pause, on_pause_over);
	return service;
}

void service_bound(struct service *service)
{
	if (service->is_resuming && service_is_bound(service)) {
		service->is_resuming = false;
		log_state(LOG_ERR, service->settings->id, "up", "Activating service %s",
			  service->settings->id);
	}
	service_refresh(service);
}

void service_suspend(struct service *service, uint64_t milliseconds)
{
	struct listener *listener;

	if (service->is_suspended)
		return;
	log_state(LOG_ERR, service->settings->id, "suspended",
		  "Deactivating service %s due to excessive incoming connections.  "
		  "Restarting in %u seconds.",
		  service->settings->id, (unsigned)(milliseconds / 1000));
	service->is_suspended = true;
	LIST_FOREACH(listener, &service->listeners, link)
		listener_close(listener);
	timer_start(&service->resume, milliseconds);
}

void service_throttle(struct service *service, uint64_t milliseconds)
{
	service->is_throttled = true;
	timer_start(&service->resume, milliseconds);
	service_refresh(service);
}

void service_pause(struct service *service, uint64_t milliseconds)
{
	log_notice("service %s: paused for at most %u seconds", service->settings->id,
		   (unsigned)(milliseconds / 1000));
	service->is_paused = true;
	timer_start(&service->pause, milliseconds);
	service_refresh(service);
}

bool service_resume(struct service *service)
{
	if (!service->is_paused)
		return false;
	log_notice("service %s: resumed", service->settings->id);
	timer_stop(&service->pause);
	service->is_paused = false;
	service_refresh(service);
	return true;
}

bool service_is_up(const struct service *service)
{
	enum service_state state = service_state(service);

	return state == SERVICE_LISTENING || state == SERVICE_FULL || state == SERVICE_THROTTLED ||
	       state == SERVICE_WAITING;
}

struct turn_owner service_turn_owner(const struct service *service)
{
	return (struct turn_owner){ .service = (uintptr_t)service,
				    .lengths = service->settings->source_prefix };
}

/* The connection, the target of a redirection, and either the peer's ident server or, later, what
 * a request for a launch may have to wait with: a copy of the connection, both ends of the pipe of
 * standard error, and a copy of one; the terminal of a program. */
unsigned service_descriptors_per_session(const struct service *service)
{
	const struct service_settings *settings = service->settings;
	bool is_passed_on = settings->redirect_host || intercepts_streams(settings);
	bool is_identified = settings->log_on_success & LOG_FLAG_USERID;
	unsigned of_pipe = service_logs_errors(settings) ? 3 : 0;
	unsigned of_launch = of_pipe + service_keeps_socket(settings);

	return 1 + is_passed_on + (of_launch ? of_launch : is_identified) +
	       (settings->pty != PTY_NO);
}

void service_count_refusal(struct service *service, enum verdict verdict)
{
	if (!service->failures)
		service->failures = calloc(1, sizeof *service->failures);
	if (service->failures)
		service->failures->refused[verdict]++;
}

static void note_failure(struct service *service, const struct refusal *refusal, const char *detail)
{
	struct failures *failures = service->failures;
	char text[ADDRESS_TEXT_SIZE];

	if (!failures)
		return;
	failures->last_time = clock_wall();
	snprintf(failures->last, sizeof failures->last, "%s, from %s%s%s",
		 verdict_text(refusal->verdict), address_text(refusal->peer, text),
		 detail ? ": " : "", detail ? detail : "");
}

enum { FOLD_MS = 1000, FOLD_DATAGRAMS_MS = 60000 };

/* For how long refusals of one source share one log line. By default only refusals that
 * can come at any speed do; those of datagrams for a minute, as in xinetd. */
static uint64_t fold_window(const struct service_settings *settings, enum verdict verdict)
{
	if (settings->fold_failures >= 0)
		return (uint64_t)settings->fold_failures * 1000;
	if (verdict == REFUSED_SOURCE_RATE || verdict == REFUSED_RATE ||
	    verdict == REFUSED_BANNED || verdict == REFUSED_PROOF || verdict == REFUSED_PROXY)
		return FOLD_MS;
	return verdict == REFUSED_ADDRESS && !service_is_stream(settings) ? FOLD_DATAGRAMS_MS : 0;
}

static void write_folded(void *context, enum verdict verdict, const struct address *peer,
			 uint64_t count)
{
	const struct service *service = context;

	record_fail(service->settings, service->log,
		    &(struct refusal){ .verdict = verdict, .peer = peer, .count = count });
}

static bool is_folded(struct service *service, enum verdict verdict, const struct address *peer)
{
	uint64_t window = fold_window(service->settings, verdict);

	if (window == 0 || !service->settings->log_on_failure)
		return false;
	if (!service->folds)
		service->folds = folds_new(write_folded, service);
	return service->folds && !folds_begin(service->folds, verdict, peer,
					      service->settings->source_prefix, window);
}

bool service_refused(struct service *service, const struct refusal *refusal, const char *detail)
{
	service_count_refusal(service, refusal->verdict);
	note_failure(service, refusal, detail);
	if (detail)
		log_error("service %s: %s", service->settings->id, detail);
	if (is_folded(service, refusal->verdict, refusal->peer))
		return false;
	record_fail(service->settings, service->log, refusal);
	return true;
}
