#include "frontend/refusing.h"

#include "base/log.h"
#include "frontend/candidates.h"
#include "frontend/holdings.h"
#include "frontend/pending.h"
#include "session/identify.h"
#include "session/record.h"

static void send_refusal_line(struct session *session)
{
	if (session->way == WAY_MULTIPLEXED)
		pending_send_text(session, "-Service not available\r\n", pending_linger);
	else
		session_close(session);
}

void refusing_finish(struct session *session)
{
	holdings_uncount(session);
	holdings_drop_pipe(session);
	session->is_refused = true;
	if (session->origin)
		session_close(session);
	else if (session->settings->banner_fail)
		pending_send_banner(session, BANNER_FAIL,
				    session->way == WAY_MULTIPLEXED ? send_refusal_line
								    : pending_linger);
	else if (session->settings->banner || session->was_puzzled)
		pending_linger(session);
	else
		send_refusal_line(session);
}

/* Few hosts have an ident server: a missing one is not logged. */
static void log_no_identity(const struct session *session, enum identify_result result)
{
	char text[ADDRESS_TEXT_SIZE];

	if (result != IDENTIFIED && result != IDENTIFY_NO_SERVER)
		log_error("Failed to contact identity server at %s: %s",
			  log_address(&session->peer, text), identify_result_text(result));
}

static void on_refused_identified(struct session *session, enum identify_result result)
{
	holdings_end_ident(session);
	if (session->user)
		record_userid(session, session->user);
	else
		log_no_identity(session, result);
	refusing_finish(session);
}

static void refuse_by(struct session *session, enum verdict verdict, const struct access_rule *rule)
{
	struct refusal refusal = {
		.verdict = verdict,
		.peer = &session->peer,
		.session = session,
		.rule = rule,
	};
	bool has_line = service_refused(session->service, &refusal, NULL);

	holdings_uncount(session);
	if (has_line && (session->settings->log_on_failure & LOG_FLAG_USERID) &&
	    !address_is_known(&session->proxy) && holdings_take_ident(session))
		pending_ask_ident(session, IDENTIFY_DEADLINE_MS, on_refused_identified);
	else
		refusing_finish(session);
}

void refusing_begin(struct session *session, enum verdict verdict)
{
	refuse_by(session, verdict, NULL);
}

static void log_tie(const struct session *session)
{
	char text[ADDRESS_TEXT_SIZE];

	log_error("Service=%s: only_from list and no_access list match equally the address %s",
		  session->settings->id, log_address(&session->peer, text));
}

bool refusing_heed(struct session *session, struct judgement judgement)
{
	if (candidate_heed(session->service, &session->peer, judgement))
		return true;
	if (judgement.is_tie)
		log_tie(session);
	refuse_by(session, judgement.verdict, judgement.rule);
	return false;
}
