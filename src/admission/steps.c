#include "admission/steps.h"

#include "admission/libwrap.h"

/* --- when a step applies -------------------------------------------------------------- */

static bool is_proxied(const struct candidate *candidate)
{
	return service_is_proxied(candidate->settings);
}

static bool has_banner(const struct candidate *candidate)
{
	return candidate->settings->banner;
}

static bool has_address(const struct candidate *candidate)
{
	return address_is_known(candidate->peer);
}

static bool has_source_rate(const struct candidate *candidate)
{
	return candidate->settings->admission->source_cps.rate > 0;
}

static bool has_rate(const struct candidate *candidate)
{
	return candidate->settings->admission->cps.rate > 0;
}

static bool has_load(const struct candidate *candidate)
{
	return candidate->settings->admission->max_load > 0;
}

static bool has_times(const struct candidate *candidate)
{
	return candidate->settings->admission->access_times_count > 0;
}

static bool has_puzzle(const struct candidate *candidate)
{
	return candidate->settings->admission->proof_of_work > 0;
}

static bool always(const struct candidate *candidate)
{
	(void)candidate;
	return true;
}

static bool has_per_source(const struct candidate *candidate)
{
	return candidate->settings->admission->per_source != UNLIMITED;
}

static bool has_process_limit(const struct candidate *candidate)
{
	return candidate->processes_max > 0 && service_starts_program(candidate->settings);
}

/* rpcbind checks access to RPC itself. For TCP, xinetd checks nothing more. */
static bool has_libwrap(const struct candidate *candidate)
{
	const struct service_settings *settings = candidate->settings;
	bool is_rpc_stream = (settings->types & TYPE_RPC) && service_is_stream(settings);

	return !(settings->flags & FLAG_NOLIBWRAP) && !is_rpc_stream &&
	       address_is_known(candidate->peer) && libwrap_has_rules();
}

static bool has_identity(const struct candidate *candidate)
{
	return candidate->settings->log_on_success & LOG_FLAG_USERID;
}

static bool has_welcome(const struct candidate *candidate)
{
	return (candidate->settings->types & TYPE_TCPMUXPLUS) ||
	       candidate->settings->banner_success;
}

/* --- the judgement of a step -------------------------------------------------------------- */

static struct judgement plain(enum verdict verdict)
{
	return (struct judgement){ .verdict = verdict };
}

static struct judgement judge_address(const struct candidate *candidate)
{
	return access_address(candidate->settings, candidate->bans, candidate->peer,
			      candidate->names, candidate->now);
}

static struct judgement judge_source_rate(const struct candidate *candidate)
{
	return plain(quota_take_source_rate(candidate->quota, candidate->settings, candidate->peer,
					    candidate->now));
}

static struct judgement judge_rate(const struct candidate *candidate)
{
	return quota_take_rate(candidate->quota, candidate->settings, candidate->peer,
			       candidate->now);
}

static struct judgement judge_load(const struct candidate *candidate)
{
	return plain(access_load(candidate->settings));
}

static struct judgement judge_time(const struct candidate *candidate)
{
	return plain(access_time(candidate->settings, candidate->minute));
}

static struct judgement judge_instances(const struct candidate *candidate)
{
	return plain(quota_judge_instances(candidate->quota, candidate->settings));
}

static struct judgement judge_per_source(const struct candidate *candidate)
{
	return plain(quota_judge_source(candidate->quota, candidate->settings, candidate->peer));
}

static struct judgement judge_processes(const struct candidate *candidate)
{
	return plain(candidate->processes < candidate->processes_max ? ADMITTED
								     : REFUSED_PROCESS_LIMIT);
}

/* --- the table ------------------------------------------------------------------------------ */

enum {
	ACCEPTED = WAY_CONNECTION | WAY_MULTIPLEXED,
	SESSIONS = ACCEPTED | WAY_SERVER,
	EVERYBODY = SESSIONS | WAY_DATAGRAM,
};

#define STEPS(ROW) \
	ROW(STEP_PROXIED, WAY_CONNECTION, is_proxied, NULL) \
	ROW(STEP_BANNER, WAY_CONNECTION, has_banner, NULL) \
	ROW(STEP_ADDRESS, EVERYBODY, has_address, judge_address) \
	ROW(STEP_SOURCE_RATE, EVERYBODY, has_source_rate, judge_source_rate) \
	ROW(STEP_RATE, EVERYBODY, has_rate, judge_rate) \
	ROW(STEP_LOAD, EVERYBODY, has_load, judge_load) \
	ROW(STEP_TIME, EVERYBODY, has_times, judge_time) \
	ROW(STEP_PROOF, WAY_CONNECTION, has_puzzle, NULL) \
	ROW(STEP_INSTANCES, EVERYBODY, always, judge_instances) \
	ROW(STEP_PER_SOURCE, EVERYBODY, has_per_source, judge_per_source) \
	ROW(STEP_PROCESSES, SESSIONS, has_process_limit, judge_processes) \
	ROW(STEP_COUNTED, SESSIONS, always, NULL) \
	ROW(STEP_LIBWRAP, SESSIONS, has_libwrap, NULL) \
	ROW(STEP_IDENTITY, SESSIONS, has_identity, NULL) \
	ROW(STEP_WELCOME, ACCEPTED, has_welcome, NULL)

STEPS_CHECK(STEPS);

static const struct {
	unsigned ways;
	bool (*applies)(const struct candidate *candidate);
	struct judgement (*judge)(const struct candidate *candidate); /* NULL: it takes time */
} steps[] = {
#define STEP_ROW(step, ways, applies, judge) [step] = { ways, applies, judge },
	STEPS(STEP_ROW)
};

bool admission_applies(enum admission_step step, const struct candidate *candidate)
{
	return (steps[step].ways & candidate->way) && steps[step].applies(candidate);
}

bool admission_judges(enum admission_step step)
{
	return steps[step].judge;
}

struct judgement admission_judge(enum admission_step step, const struct candidate *candidate)
{
	return steps[step].judge(candidate);
}
