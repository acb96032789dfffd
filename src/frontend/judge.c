#include "frontend/judge.h"

#include "admission/load.h"
#include "admission/sensor_list.h"
#include "base/log.h"
#include "base/own_name.h"
#include "base/sink.h"
#include "frontend/ask.h"
#include "handlers/launch.h"
#include "frontend/intercept.h"

#include <time.h>
#include <unistd.h>

static unsigned processes_most; /* -limit; 0: none */
static struct sensor_list *sensor_list;

int judge_init(unsigned process_limit)
{
	processes_most = process_limit;
	sensor_list = sensor_list_new();
	return sensor_list ? 0 : -1;
}

struct sensor_list *judge_sensor_list(void)
{
	return sensor_list;
}

bool judge_bans(const struct address *peer)
{
	return sensor_list_bans(sensor_list, peer, loop_now());
}

struct access_result judge_address(const struct service_settings *settings,
				   const struct address *peer, const char *const *names)
{
	struct access_result result = { .decision = ACCESS_DENIED };

	if (judge_bans(peer))
		return result;
	result = access_decide(&settings->only_from, &settings->no_access, peer, names);
	/* What has come to the server's socket the kernel has let in by the names. */
	if (result.decision == ACCESS_NEEDS_NAMES && intercepts_datagrams(settings))
		result.decision = ACCESS_ALLOWED;
	return result;
}

bool judge_still_admits(const struct service_settings *settings, const struct address *peer)
{
	return !address_is_known(peer) || judge_address(settings, peer, NULL).decision != ACCESS_DENIED;
}

static bool source_is_too_fast(struct service *service, const struct address *peer)
{
	const struct service_settings *settings = service->settings;
	struct sources *sources;

	if (!settings->source_cps.rate || !(sources = service_sources(service)))
		return false;
	return !source_take_token(sources, peer, settings->source_prefix, loop_now(),
				  (struct pace){ settings->source_cps.rate,
						 settings->source_cps.seconds,
						 settings->source_cps.other });
}

/* cps_action = queue: this one goes on; without a token for the next, the next
 * waits in the kernel's queue. */
static bool throttle(struct service *service, struct pace pace)
{
	token_bucket_take(&service->rate, loop_now(), pace);
	if (!token_bucket_ready(&service->rate, loop_now(), pace))
		service_throttle(service, token_bucket_wait(&service->rate, loop_now(), pace));
	return true;
}

static bool suspend_or_take(struct service *service, struct pace pace)
{
	if (token_bucket_take(&service->rate, loop_now(), pace))
		return true;
	service_suspend(service);
	return false;
}

static bool rate_admits(struct service *service, const struct address *peer)
{
	const struct service_settings *settings = service->settings;
	struct pace pace = { settings->cps.rate, settings->cps.seconds, settings->cps.rate };
	struct sources *sources;

	if (!pace.rate)
		return true;
	switch (settings->cps_action) {
	case CPS_QUEUE:
		return throttle(service, pace);
	case CPS_SUSPEND:
		return suspend_or_take(service, pace);
	case CPS_REFUSE:
		break;
	}
	sources = service_sources(service);
	if (!sources)
		return token_bucket_take(&service->rate, loop_now(), pace);
	return sources_admit(sources, &service->rate, &service->reserve, peer,
			     settings->source_prefix, loop_now(), pace);
}

static bool time_admits(const struct service_settings *settings)
{
	time_t now = (time_t)loop_wall_clock();
	struct tm local;

	if (settings->access_times_count == 0)
		return true;
	localtime_r(&now, &local);
	return access_times_allow(settings->access_times, settings->access_times_count,
				  local.tm_hour * 60 + local.tm_min);
}

static bool load_admits(const struct service_settings *settings, const struct address *peer)
{
	char text[ADDRESS_TEXT_SIZE];

	if (settings->max_load <= 0 || !load_is_excessive(settings->max_load))
		return true;
	log_error("refused connect from %s due to excessive load", address_text(peer, text));
	return false;
}

static bool source_is_full(struct service *service, const struct address *peer)
{
	const struct service_settings *settings = service->settings;
	struct sources *sources;

	if (settings->per_source == UNLIMITED || !(sources = service_sources(service)))
		return false;
	return sources_running(sources, peer, settings->source_prefix) >= settings->per_source;
}

static bool processes_are_full(const struct service *service)
{
	return processes_most && service->handler == &launch_handler &&
	       launch_processes() >= processes_most;
}

/* The order is xinetd's. */
enum verdict judge_limits(struct service *service, const struct address *peer)
{
	const struct service_settings *settings = service->settings;

	if (source_is_too_fast(service, peer))
		return REFUSED_SOURCE_RATE;
	if (!rate_admits(service, peer))
		return REFUSED_RATE;
	if (!load_admits(settings, peer))
		return REFUSED_LOAD;
	if (!time_admits(settings))
		return REFUSED_TIME;
	if (service->running >= settings->instances)
		return REFUSED_SERVICE_LIMIT;
	if (source_is_full(service, peer))
		return REFUSED_SOURCE_LIMIT;
	return processes_are_full(service) ? REFUSED_PROCESS_LIMIT : ADMITTED;
}

void judge_know_ban(const struct address *address, uint64_t until)
{
	sensor_list_ban(sensor_list, address, loop_now(), until);
}

/* A deny_time of -1 is for ever. The message begins as xinetd's critical
 * ones do, with the process and a function of xinetd's. */
void judge_ban(const struct service_settings *settings, const struct address *peer)
{
	int minutes = settings->deny_time;
	uint64_t now = loop_now();
	uint64_t until = minutes < 0 ? SENSOR_FOREVER : now + (uint64_t)minutes * 60000;
	char text[ADDRESS_TEXT_SIZE];

	if (!service_bans(settings))
		return;
	ask_ban(peer, until);
	if (sensor_list_ban(sensor_list, peer, now, until))
		log_critical("%d {process_sensor} Adding %s to the global_no_access list for %d "
			     "minutes", (int)own_process(), address_text(peer, text), minutes);
}
