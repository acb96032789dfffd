#include "admission/quota.h"

#include <stddef.h>

static struct sources *sources_of(struct sources **sources)
{
	if (!*sources)
		*sources = sources_new();
	return *sources;
}

void quota_clear(struct quota *quota)
{
	sources_free(quota->sources);
	sources_free(quota->pending_sources);
	*quota = (struct quota){ 0 };
}

/* --- pending ------------------------------------------------------------------------------ */

enum verdict quota_judge_pending(struct quota *quota, const struct service_settings *settings,
				 const struct address *peer)
{
	unsigned left = PENDING_MAX - quota->pending;

	if (left == 0)
		return REFUSED_PENDING;
	if (!peer)
		return ADMITTED;
	if (!sources_of(&quota->pending_sources))
		return REFUSED_MEMORY;
	return sources_running(quota->pending_sources, peer, settings->source_prefix) < left
		       ? ADMITTED
		       : REFUSED_PENDING;
}

struct source *quota_pend(struct quota *quota, const struct service_settings *settings,
			  const struct address *peer)
{
	quota->pending++;
	return peer && sources_of(&quota->pending_sources)
		       ? source_enter(quota->pending_sources, peer, settings->source_prefix)
		       : NULL;
}

enum verdict quota_pend_source(struct quota *quota, const struct service_settings *settings,
			       const struct address *peer, struct source **source)
{
	enum verdict verdict;

	quota->pending--; /* it does not count against itself */
	verdict = quota_judge_pending(quota, settings, peer);
	*source = NULL;
	if (verdict == ADMITTED)
		*source = quota_pend(quota, settings, peer);
	else
		quota->pending++;
	return verdict;
}

unsigned quota_pending_of(const struct quota *quota, const struct service_settings *settings,
			  const struct address *peer)
{
	return quota->pending_sources
		       ? sources_running(quota->pending_sources, peer, settings->source_prefix)
		       : 0;
}

void quota_pend_end(struct quota *quota, struct source *source)
{
	quota->pending--;
	if (source)
		source_leave(quota->pending_sources, source);
}

/* --- running ------------------------------------------------------------------------------ */

struct source *quota_recount(struct quota *quota, const struct service_settings *settings,
			     const struct address *peer)
{
	if (settings->admission->per_source == UNLIMITED || !sources_of(&quota->sources))
		return NULL;
	return source_enter(quota->sources, peer, settings->source_prefix);
}

struct source *quota_run(struct quota *quota, const struct service_settings *settings,
			 const struct address *peer)
{
	quota->running++;
	return quota_recount(quota, settings, peer);
}

void quota_run_end(struct quota *quota, struct source *source)
{
	quota->running--;
	if (source)
		source_leave(quota->sources, source);
}

enum verdict quota_judge_instances(const struct quota *quota,
				   const struct service_settings *settings)
{
	return quota->running < settings->admission->instances ? ADMITTED : REFUSED_SERVICE_LIMIT;
}

enum verdict quota_judge_source(struct quota *quota, const struct service_settings *settings,
				const struct address *peer)
{
	unsigned most = settings->admission->per_source;

	if (most == UNLIMITED || !sources_of(&quota->sources))
		return ADMITTED;
	return sources_running(quota->sources, peer, settings->source_prefix) < most
		       ? ADMITTED
		       : REFUSED_SOURCE_LIMIT;
}

/* --- rates -------------------------------------------------------------------------------- */

enum verdict quota_take_source_rate(struct quota *quota, const struct service_settings *settings,
				    const struct address *peer, uint64_t now)
{
	const struct rate *rate = &settings->admission->source_cps;

	if (!rate->rate || !sources_of(&quota->sources))
		return ADMITTED;
	return source_take_token(quota->sources, peer, settings->source_prefix, now,
				 (struct pace){ rate->rate, rate->seconds, rate->other })
		       ? ADMITTED
		       : REFUSED_SOURCE_RATE;
}

/* Admits this one. When no token is left, the next one waits in the kernel's queue. */
static struct judgement take_or_queue(struct quota *quota, struct pace pace, uint64_t now)
{
	token_bucket_take(&quota->rate, now, pace);
	return (struct judgement){ .pause_ms = token_bucket_wait(&quota->rate, now, pace) };
}

/* With 0 seconds the service is closed and opened again at once, as in xinetd. */
static struct judgement take_or_suspend(struct quota *quota, struct pace pace, uint64_t now,
					uint32_t seconds)
{
	if (token_bucket_take(&quota->rate, now, pace))
		return (struct judgement){ .verdict = ADMITTED };
	return (struct judgement){
		.verdict = REFUSED_RATE,
		.pause_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 1,
	};
}

static struct judgement take_share(struct quota *quota, const struct service_settings *settings,
				   const struct address *peer, struct pace pace, uint64_t now)
{
	bool admitted = sources_of(&quota->sources)
				? sources_admit(quota->sources, &quota->rate, &quota->reserve, peer,
						settings->source_prefix, now, pace)
				: token_bucket_take(&quota->rate, now, pace);

	return (struct judgement){ .verdict = admitted ? ADMITTED : REFUSED_RATE };
}

struct judgement quota_take_rate(struct quota *quota, const struct service_settings *settings,
				 const struct address *peer, uint64_t now)
{
	const struct rate *cps = &settings->admission->cps;
	struct pace pace = { cps->rate, cps->seconds, cps->rate };

	if (!pace.rate)
		return (struct judgement){ .verdict = ADMITTED };
	switch (settings->admission->cps_action) {
	case CPS_QUEUE:
		return take_or_queue(quota, pace, now);
	case CPS_SUSPEND:
		return take_or_suspend(quota, pace, now, cps->other);
	case CPS_REFUSE:
		break;
	}
	return take_share(quota, settings, peer, pace, now);
}
