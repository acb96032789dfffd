/* How much of a service's limits (instances, per_source, cps, source_cps) its sessions
 * use, and whether one more is admitted. Pure: the clock is an argument, and nothing is
 * suspended here; if memory runs out, a limit by source admits everybody.
 *
 * A session is pending until its handler has it. It is counted as running from the step
 * that counts it (admission/steps.h) until it closes, or is refused after that. */
#ifndef USHERD_ADMISSION_QUOTA_H
#define USHERD_ADMISSION_QUOTA_H

#include "admission/sources.h"
#include "admission/verdict.h"
#include "config/settings.h"

enum { PENDING_MAX = 4096 }; /* sessions of one service */

/* Zeroed at first. */
struct quota {
	unsigned running;
	unsigned pending;
	struct sources *sources;         /* of those that run; made when first needed */
	struct sources *pending_sources; /* of those that are pending; the same */
	struct token_bucket rate, reserve;
};

/* Frees what it holds. Sources that quota_run and quota_pend gave are gone then. */
void quota_clear(struct quota *quota);

/* Whether one more session of peer may be pending: ADMITTED, REFUSED_PENDING or
 * REFUSED_MEMORY. A source may have as many as there is room left: one source alone gets
 * half of the room, two get a third each. So there is always room for a source that has
 * none. peer NULL: a balancer's, whose source is not known yet. That is only counted. */
enum verdict quota_judge_pending(struct quota *quota, const struct service_settings *settings,
				 const struct address *peer);

/* One more session is pending. Returns its source, for quota_pend_end; NULL: it has none. */
struct source *quota_pend(struct quota *quota, const struct service_settings *settings,
			  const struct address *peer);

/* The source of a pending session has become known: ADMITTED with *source, which may be NULL as
 * above, or what quota_judge_pending says. */
enum verdict quota_pend_source(struct quota *quota, const struct service_settings *settings,
			       const struct address *peer, struct source **source);

/* How many pending sessions the source of peer has. */
unsigned quota_pending_of(const struct quota *quota, const struct service_settings *settings,
			  const struct address *peer);

void quota_pend_end(struct quota *quota, struct source *source);

/* One more session runs. The source is for quota_run_end, and NULL also while per_source
 * is not set. */
struct source *quota_run(struct quota *quota, const struct service_settings *settings,
			 const struct address *peer);
void quota_run_end(struct quota *quota, struct source *source);

/* Counts a running session by its source after all: per_source was not set when it began. */
struct source *quota_recount(struct quota *quota, const struct service_settings *settings,
			     const struct address *peer);

/* instances and per_source: ADMITTED, or what refuses one more. */
enum verdict quota_judge_instances(const struct quota *quota,
				   const struct service_settings *settings);
enum verdict quota_judge_source(struct quota *quota, const struct service_settings *settings,
				const struct address *peer);

/* source_cps and cps: takes a token. */
enum verdict quota_take_source_rate(struct quota *quota, const struct service_settings *settings,
				    const struct address *peer, uint64_t now);
struct judgement quota_take_rate(struct quota *quota, const struct service_settings *settings,
				 const struct address *peer, uint64_t now);

#endif
