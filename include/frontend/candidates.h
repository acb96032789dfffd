/* Peers of the services that run, as the steps of admission want them, and what is done
 * with a judgement whatever way the peer came. */
#ifndef USHERD_FRONTEND_CANDIDATES_H
#define USHERD_FRONTEND_CANDIDATES_H

#include "admission/steps.h"
#include "frontend/service.h"

/* process_limit: -limit, 0 for none. */
void candidates_init(unsigned process_limit);

/* peer stays the caller's and must last as long as the candidate. */
struct candidate candidate_for(struct service *service, const struct address *peer, enum way way);

/* Suspends or throttles the service when that is what cps asks for, and logs what has a
 * line of its own. True: admitted, as far as that step goes. */
bool candidate_heed(struct service *service, const struct address *peer,
		    struct judgement judgement);

/* False when a running session's peer is now banned, or refused by the service's lists;
 * names are not looked up for it. */
bool candidate_is_allowed(struct service *service, const struct address *peer);

#endif
