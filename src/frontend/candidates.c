#include "frontend/candidates.h"

#include "base/clock.h"
#include "base/log.h"
#include "frontend/sensors.h"
#include "handlers/launch.h"

#include <time.h>

static unsigned processes_max; /* -limit; 0: none */

void candidates_init(unsigned process_limit)
{
	processes_max = process_limit;
}

struct candidate candidate_for(struct service *service, const struct address *peer, enum way way)
{
	return (struct candidate){
		.settings = service->settings,
		.quota = &service->quota,
		.peer = peer,
		.way = way,
		.bans = sensors_list(),
		.now = clock_now(),
		.minute = service->settings->admission->access_times_count > 0
				  ? access_minute((time_t)clock_wall())
				  : 0,
		.processes = launch_processes(),
		.processes_max = processes_max,
	};
}

static void tell_load(const struct address *peer)
{
	char text[ADDRESS_TEXT_SIZE];

	log_error("refused connect from %s due to excessive load", log_address(peer, text));
}

bool candidate_heed(struct service *service, const struct address *peer, struct judgement judgement)
{
	bool is_admitted = judgement.verdict == ADMITTED;

	if (judgement.pause_ms > 0 && is_admitted)
		service_throttle(service, judgement.pause_ms);
	else if (judgement.pause_ms > 0)
		service_suspend(service, judgement.pause_ms);
	if (judgement.verdict == REFUSED_LOAD)
		tell_load(peer);
	return is_admitted;
}

bool candidate_is_allowed(struct service *service, const struct address *peer)
{
	struct candidate candidate = candidate_for(service, peer, WAY_CONNECTION);
	struct judgement judgement;

	if (!admission_applies(STEP_ADDRESS, &candidate))
		return true;
	judgement = admission_judge(STEP_ADDRESS, &candidate);
	return judgement.verdict == ADMITTED || judgement.needs_names;
}
