/* Makes candidates for the steps of admission from peers of running services, and acts on
 * a judgement in the same way for all kinds of peers. */
#ifndef USHERD_FRONTEND_CANDIDATES_H
#define USHERD_FRONTEND_CANDIDATES_H

#include "admission/steps.h"
#include "frontend/service.h"

/* process_limit: -limit, 0 for none. */
void candidates_init(unsigned process_limit);

/* peer stays the caller's and must last as long as the candidate. */
struct candidate candidate_for(struct service *service, const struct address *peer, enum way way);

/* Acts on the judgement of one step: suspends or throttles the service if cps_action says
 * so, and logs refusals that have a line of their own. True: the step admits the peer. */
bool candidate_heed(struct service *service, const struct address *peer,
		    struct judgement judgement);

/* False when the peer of a running session is now banned, or refused by the service's
 * lists. Names are not looked up for this. */
bool candidate_is_allowed(struct service *service, const struct address *peer);

#endif
