#include "session/record_facts.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/access_rule.h"

#include <stdio.h>
#include <sys/wait.h>

static void begin(struct record_facts *record, enum log_event event,
		  const struct service_settings *settings)
{
	record->facts.event = event;
	record->facts.count = 0;
	log_facts_text(&record->facts, "usherd.service", settings->id);
}

static void add_end(struct log_facts *facts, const char *address_key, const char *port_key,
		    const struct address *address, const char *text)
{
	if (!address || !address_is_known(address))
		return;
	log_facts_text(facts, address_key, text);
	if (address_port(address) > 0)
		log_facts_number(facts, port_key, address_port(address));
}

static void add_client(struct record_facts *record, const struct address *peer, unsigned flags)
{
	if (peer && address_is_known(peer) && (flags & LOG_FLAG_HOST))
		add_end(&record->facts, "client.address", "client.port", peer,
			log_address(peer, record->client));
}

/* Of the connection. */
static void add_ends(struct record_facts *record, const struct session *session, unsigned flags)
{
	const struct address *proxy = &session->proxy;

	add_client(record, &session->peer, flags);
	if (address_is_known(proxy) && (flags & LOG_FLAG_HOST))
		add_end(&record->facts, "network.peer.address", "network.peer.port", proxy,
			log_address(proxy, record->balancer));
	add_end(&record->facts, "network.local.address", "network.local.port", &session->local,
		address_text(&session->local, record->local));
	log_facts_text(&record->facts, "network.transport", session->settings->protocol);
}

static void add_session(struct record_facts *record, const struct session *session, unsigned flags)
{
	log_facts_text(&record->facts, "usherd.session", session_id_text(session->id, record->id));
	add_ends(record, session, flags);
	if (session->pid > 0)
		log_facts_number(&record->facts, "process.pid", (uint64_t)session->pid);
}

void record_facts_start(struct record_facts *record, const struct session *session)
{
	begin(record, LOG_EVENT_SESSION_START, session->settings);
	add_session(record, session, session->settings->log_on_success);
}

void record_facts_answer(struct record_facts *record, const struct service_settings *settings,
			 const struct address *peer)
{
	begin(record, LOG_EVENT_SESSION_START, settings);
	add_client(record, peer, settings->log_on_success);
	log_facts_text(&record->facts, "network.transport", settings->protocol);
}

static void add_status(struct log_facts *facts, int status)
{
	if (WIFSIGNALED(status))
		log_facts_number(facts, "process.exit.signal", (uint64_t)WTERMSIG(status));
	else
		log_facts_number(facts, "process.exit.code", (uint64_t)WEXITSTATUS(status));
}

static void add_usage(struct log_facts *facts, const struct session *session)
{
	if (session->has_traffic) {
		log_facts_number(facts, "bytes_in", session->received);
		log_facts_number(facts, "bytes_out", session->sent);
	}
	if (session->has_usage) {
		log_facts_thousandths(facts, "cpu_s", session->cpu_us / 1000);
		log_facts_number(facts, "max_rss_bytes", session->max_rss * 1024);
	}
}

void record_facts_end(struct record_facts *record, const struct session *session, int status)
{
	uint64_t ended = session->ended ? session->ended : clock_now();

	begin(record, LOG_EVENT_SESSION_END, session->settings);
	add_session(record, session, session->settings->log_on_success);
	add_status(&record->facts, status);
	log_facts_thousandths(&record->facts, "duration_s", ended - session->opened);
	add_usage(&record->facts, session);
	log_facts_text(&record->facts, "reason", end_reason_text(session->reason));
}

void record_facts_refusal(struct record_facts *record, const struct service_settings *settings,
			  const struct refusal *refusal)
{
	const struct access_rule *rule = refusal->rule;

	begin(record, LOG_EVENT_SESSION_REFUSED, settings);
	if (refusal->session) {
		add_ends(record, refusal->session, settings->log_on_failure);
	} else {
		add_client(record, refusal->peer, settings->log_on_failure);
		log_facts_text(&record->facts, "network.transport", settings->protocol);
	}
	log_facts_text(&record->facts, "reason", verdict_name(refusal->verdict));
	if (rule && rule->file) {
		snprintf(record->rule, sizeof record->rule, "%s:%d", rule->file, rule->line);
		log_facts_text(&record->facts, "rule", record->rule);
	}
	if (refusal->count > 0)
		log_facts_number(&record->facts, "count", refusal->count);
}

void record_facts_message(struct record_facts *record, const struct session *session)
{
	begin(record, LOG_EVENT_MESSAGE, session->settings);
	add_session(record, session, session->settings->log_on_success);
}
