#include "admission/access.h"

#include "admission/intercept.h"
#include "admission/load.h"

static enum verdict verdict_of(enum access_decision decision)
{
	return decision == ACCESS_ALLOWED ? ADMITTED : REFUSED_ADDRESS;
}

struct judgement access_address(const struct service_settings *settings, struct sensor_list *bans,
				const struct address *peer, const char *const *names, uint64_t now)
{
	struct access_result result;

	if (bans && sensor_list_bans(bans, peer, now))
		return (struct judgement){ .verdict = REFUSED_BANNED };
	result = access_decide(&settings->admission->only_from, &settings->admission->no_access,
			       peer, names);
	/* The kernel's filter has already admitted the sender by its names. */
	if (result.decision == ACCESS_NEEDS_NAMES && intercepts_datagrams(settings))
		result.decision = ACCESS_ALLOWED;
	return (struct judgement){
		.verdict = verdict_of(result.decision),
		.needs_names = result.decision == ACCESS_NEEDS_NAMES,
		.rule = result.rule,
		.is_tie = result.tie,
	};
}

int access_minute(time_t now)
{
	struct tm local;

	localtime_r(&now, &local);
	return 60 * local.tm_hour + local.tm_min;
}

bool access_is_balancer(const struct service_settings *settings, const struct address *peer)
{
	return service_is_proxied(settings) &&
	       access_list_match(&settings->admission->proxy_from, peer, NULL) != NULL;
}

enum verdict access_without_balancer(const struct service_settings *settings)
{
	return settings->admission->proxy_others == PROXY_OTHERS_DIRECT ? ADMITTED
									: REFUSED_ADDRESS;
}

enum verdict access_time(const struct service_settings *settings, int minute)
{
	const struct admission_settings *admission = settings->admission;

	return access_times_allow(admission->access_times, admission->access_times_count, minute)
		       ? ADMITTED
		       : REFUSED_TIME;
}

enum verdict access_load(const struct service_settings *settings)
{
	double most = settings->admission->max_load;

	return most > 0 && load_is_excessive(most) ? REFUSED_LOAD : ADMITTED;
}
