/* The facts of records about sessions, with keys by the conventions of OpenTelemetry where these
 * have one. See usherd.log(5), JSON AND THE JOURNAL. */
#ifndef USHERD_SESSION_RECORD_FACTS_H
#define USHERD_SESSION_RECORD_FACTS_H

#include "base/log_facts.h"
#include "session/refusal.h"
#include "session/session.h"

enum { RULE_TEXT_SIZE = 512 };

/* Facts, and the texts that they point to. */
struct record_facts {
	struct log_facts facts;
	char client[ADDRESS_TEXT_SIZE], balancer[ADDRESS_TEXT_SIZE], local[ADDRESS_TEXT_SIZE];
	char id[SESSION_ID_SIZE], rule[RULE_TEXT_SIZE];
};

/* Each begins anew. Addresses of clients and balancers are part of them only where
 * log_on_success, or log_on_failure for a refusal, has HOST. */
void record_facts_start(struct record_facts *record, const struct session *session);
void record_facts_answer(struct record_facts *record, const struct service_settings *settings,
			 const struct address *peer);
void record_facts_end(struct record_facts *record, const struct session *session, int status);
void record_facts_refusal(struct record_facts *record, const struct service_settings *settings,
			  const struct refusal *refusal);

/* A message about the session. */
void record_facts_message(struct record_facts *record, const struct session *session);

#endif
