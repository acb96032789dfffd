#include "session/record.h"

#include "base/clock.h"
#include "base/digits.h"
#include "base/log.h"
#include "base/sink.h"
#include "session/record_facts.h"

#include <string.h>
#include <sys/wait.h>
#include <syslog.h>

enum { LINE_SIZE = 1024 };

/* A line being written; it is cut at its size. */
struct line {
	char text[LINE_SIZE];
	size_t length;
};

static void line_add(struct line *line, const char *text)
{
	size_t length = strlen(text), room = sizeof line->text - 1 - line->length;

	if (length > room)
		length = room;
	memcpy(line->text + line->length, text, length);
	line->length += length;
	line->text[line->length] = '\0';
}

static void line_add_number(struct line *line, const char *name, uint64_t number)
{
	char digits[DIGITS_SIZE];

	digits_write(digits, number);
	line_add(line, name);
	line_add(line, digits);
}

/* Makes it "KIND: ID", with which every line begins. */
static void line_begin(struct line *line, const char *kind, const struct service_settings *settings)
{
	line->length = 0;
	line_add(line, kind);
	line_add(line, ": ");
	line_add(line, settings->id);
}

static void line_add_peer(struct line *line, const struct address *peer, unsigned flags)
{
	char text[ADDRESS_TEXT_SIZE];

	if (!(flags & LOG_FLAG_HOST))
		return;
	line_add(line, " from=");
	line_add(line, log_address(peer, text));
}

static void line_write(const struct line *line, struct sink *log)
{
	if (log)
		sink_line(log, line->text, line->length);
	else
		log_message(LOG_INFO, "%s", line->text);
}

static void write_with_facts(const struct line *line, struct sink *log,
			     const struct record_facts *record)
{
	log_service_line(log, &record->facts, line->text);
}

static void line_add_id(struct line *line, struct session_id id, unsigned flags)
{
	char text[SESSION_ID_SIZE];

	if (!(flags & LOG_FLAG_SESSION))
		return;
	line_add(line, " session=");
	line_add(line, session_id_text(id, text));
}

static void line_start(struct line *line, const struct service_settings *settings, pid_t pid,
		       const struct address *peer, struct session_id id)
{
	line_begin(line, "START", settings);
	if (settings->log_on_success & LOG_FLAG_PID)
		line_add_number(line, " pid=", (uint64_t)pid);
	line_add_peer(line, peer, settings->log_on_success);
	line_add_id(line, id, settings->log_on_success);
}

void record_start(const struct session *session)
{
	struct line line;
	struct record_facts record;

	if (!session->settings->log_on_success)
		return;
	line_start(&line, session->settings, session->pid, &session->peer, session->id);
	if (!log_takes_facts(session->log)) {
		line_write(&line, session->log);
		return;
	}
	record_facts_start(&record, session);
	write_with_facts(&line, session->log, &record);
}

void record_answer(const struct service_settings *settings, struct sink *log,
		   const struct address *peer)
{
	struct line line;
	struct record_facts record;

	if (!settings->log_on_success)
		return;
	line_start(&line, settings, 0, peer, (struct session_id){ 0, 0 });
	if (!log_takes_facts(log)) {
		line_write(&line, log);
		return;
	}
	record_facts_answer(&record, settings, peer);
	write_with_facts(&line, log, &record);
}

static void line_add_status(struct line *line, int status)
{
	if (WIFSIGNALED(status))
		line_add_number(line, " signal=", (uint64_t)WTERMSIG(status));
	else
		line_add_number(line, " status=", (uint64_t)WEXITSTATUS(status));
}

static void line_add_duration(struct line *line, const struct session *session)
{
	uint64_t ended = session->ended ? session->ended : clock_now();

	line_add_number(line, " duration=", (ended - session->opened) / 1000);
	line_add(line, "(sec)");
}

static void line_exit(struct line *line, const struct session *session, int status)
{
	unsigned flags = session->settings->log_on_success;

	line_begin(line, "EXIT", session->settings);
	if (flags & LOG_FLAG_EXIT)
		line_add_status(line, status);
	if (flags & LOG_FLAG_PID)
		line_add_number(line, " pid=", (uint64_t)session->pid);
	if (flags & LOG_FLAG_DURATION)
		line_add_duration(line, session);
	if (flags & LOG_FLAG_REASON) {
		line_add(line, " reason=");
		line_add(line, end_reason_text(session->reason));
	}
	line_add_id(line, session->id, flags);
}

void record_exit(const struct session *session, int status)
{
	bool takes_facts = log_takes_facts(session->log);
	unsigned wanted = LOG_FLAG_EXIT | LOG_FLAG_DURATION | LOG_FLAG_REASON | LOG_FLAG_SESSION;
	struct line line;
	struct record_facts record;

	if (takes_facts)
		wanted |= LOG_FLAG_TRAFFIC | LOG_FLAG_RUSAGE;
	if (!(session->settings->log_on_success & wanted))
		return;
	line_exit(&line, session, status);
	if (!takes_facts) {
		line_write(&line, session->log);
		return;
	}
	record_facts_end(&record, session, status);
	write_with_facts(&line, session->log, &record);
}

/* With thousandths. */
static void line_add_seconds(struct line *line, const char *name, uint64_t microseconds)
{
	char digits[DIGITS_SIZE];

	digits_write(digits, 1000 + microseconds / 1000 % 1000);
	digits[0] = '.';
	line_add_number(line, name, microseconds / 1000000);
	line_add(line, digits);
	line_add(line, "(sec)");
}

void record_usage(struct session *session, uint64_t cpu_us, uint64_t max_rss)
{
	unsigned flags = session->settings->log_on_success;
	struct line line;

	session->has_usage = true;
	session->cpu_us = cpu_us;
	session->max_rss = max_rss;
	if (!(flags & LOG_FLAG_RUSAGE) || log_takes_facts(session->log))
		return;
	line_begin(&line, "RUSAGE", session->settings);
	if (flags & LOG_FLAG_PID)
		line_add_number(&line, " pid=", (uint64_t)session->pid);
	line_add_seconds(&line, " cpu=", cpu_us);
	line_add_number(&line, " maxrss=", max_rss);
	line_add(&line, "(KiB)");
	line_write(&line, session->log);
}

static void line_add_failure(struct line *line, const struct service_settings *settings,
			     const struct refusal *refusal)
{
	line_begin(line, "FAIL", settings);
	line_add(line, " ");
	line_add(line, verdict_text(refusal->verdict));
	if (refusal->peer)
		line_add_peer(line, refusal->peer, settings->log_on_failure);
	else if (settings->log_on_failure & LOG_FLAG_HOST)
		line_add(line, " from=<several addresses>");
	if (refusal->count > 0)
		line_add_number(line, " count=", refusal->count);
}

void record_fail(const struct service_settings *settings, struct sink *log,
		 const struct refusal *refusal)
{
	struct line line;
	struct record_facts record;

	if (!settings->log_on_failure)
		return;
	line_add_failure(&line, settings, refusal);
	if (!log_takes_facts(log)) {
		line_write(&line, log);
		return;
	}
	record_facts_refusal(&record, settings, refusal);
	write_with_facts(&line, log, &record);
}

/* Facts have the user beside the line. */
static void write_about(const struct session *session, const struct line *line, const char *user)
{
	struct record_facts record;

	if (!log_takes_facts(session->log)) {
		line_write(line, session->log);
		return;
	}
	record_facts_message(&record, session);
	log_facts_text(&record.facts, "user.name", user);
	write_with_facts(line, session->log, &record);
}

void record_userid(const struct session *session, const char *user)
{
	struct line line;

	line_begin(&line, "USERID", session->settings);
	line_add(&line, " ");
	line_add(&line, user);
	write_about(session, &line, user);
}

void record_noid(const struct session *session, const char *reason)
{
	struct refusal refusal = {
		.verdict = REFUSED_IDENT,
		.peer = &session->peer,
		.session = session,
	};
	struct line line;
	char text[ADDRESS_TEXT_SIZE];
	struct record_facts record;

	line_begin(&line, "NOID", session->settings);
	line_add(&line, " ");
	line_add(&line, log_address(&session->peer, text));
	line_add(&line, " ");
	line_add(&line, reason);
	if (!log_takes_facts(session->log)) {
		line_write(&line, session->log);
		return;
	}
	record_facts_refusal(&record, session->settings, &refusal);
	write_with_facts(&line, session->log, &record);
}

void record_traffic(struct session *session, uint64_t in, uint64_t out)
{
	struct line line;

	session->received = in;
	session->sent = out;
	if (!(session->settings->log_on_success & LOG_FLAG_TRAFFIC))
		return;
	session->has_traffic = true;
	if (log_takes_facts(session->log))
		return;
	line_begin(&line, "TRAFFIC", session->settings);
	line_add_number(&line, " in=", in);
	line_add_number(&line, "(bytes) out=", out);
	line_add(&line, "(bytes)");
	line_write(&line, session->log);
}
