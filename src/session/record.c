#include "session/record.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sink.h"
#include "session/record_facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <syslog.h>

enum { LINE_SIZE = 1024 };

/* A line being written; it is cut at its size. */
struct line {
	char text[LINE_SIZE];
	size_t length;
};

static void line_add(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line_add(struct line *line, const char *format, ...)
{
	size_t room = sizeof line->text - line->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line->text + line->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		line->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void line_add_peer(struct line *line, const struct address *peer, unsigned flags)
{
	char text[ADDRESS_TEXT_SIZE];

	if (flags & LOG_FLAG_HOST)
		line_add(line, " from=%s", log_address(peer, text));
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

	if (flags & LOG_FLAG_SESSION)
		line_add(line, " session=%s", session_id_text(id, text));
}

static void line_start(struct line *line, const struct service_settings *settings, pid_t pid,
		       const struct address *peer, struct session_id id)
{
	line_add(line, "START: %s", settings->id);
	if (settings->log_on_success & LOG_FLAG_PID)
		line_add(line, " pid=%d", (int)pid);
	line_add_peer(line, peer, settings->log_on_success);
	line_add_id(line, id, settings->log_on_success);
}

void record_start(const struct session *session)
{
	struct line line = { .length = 0 };
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
	struct line line = { .length = 0 };
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
		line_add(line, " signal=%d", WTERMSIG(status));
	else
		line_add(line, " status=%d", WEXITSTATUS(status));
}

static void line_exit(struct line *line, const struct session *session, int status)
{
	unsigned flags = session->settings->log_on_success;

	line_add(line, "EXIT: %s", session->settings->id);
	if (flags & LOG_FLAG_EXIT)
		line_add_status(line, status);
	if (flags & LOG_FLAG_PID)
		line_add(line, " pid=%d", (int)session->pid);
	if (flags & LOG_FLAG_DURATION)
		line_add(line, " duration=%" PRIu64 "(sec)",
			 ((session->ended ? session->ended : clock_now()) - session->opened) /
				 1000);
	if (flags & LOG_FLAG_REASON)
		line_add(line, " reason=%s", end_reason_text(session->reason));
	line_add_id(line, session->id, flags);
}

void record_exit(const struct session *session, int status)
{
	bool takes_facts = log_takes_facts(session->log);
	unsigned wanted = LOG_FLAG_EXIT | LOG_FLAG_DURATION | LOG_FLAG_REASON | LOG_FLAG_SESSION;
	struct line line = { .length = 0 };
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

void record_usage(struct session *session, uint64_t cpu_us, uint64_t max_rss)
{
	unsigned flags = session->settings->log_on_success;
	struct line line = { .length = 0 };

	session->has_usage = true;
	session->cpu_us = cpu_us;
	session->max_rss = max_rss;
	if (!(flags & LOG_FLAG_RUSAGE) || log_takes_facts(session->log))
		return;
	line_add(&line, "RUSAGE: %s", session->settings->id);
	if (flags & LOG_FLAG_PID)
		line_add(&line, " pid=%d", (int)session->pid);
	line_add(&line, " cpu=%" PRIu64 ".%03u(sec) maxrss=%" PRIu64 "(KiB)", cpu_us / 1000000,
		 (unsigned)(cpu_us / 1000 % 1000), max_rss);
	line_write(&line, session->log);
}

static void line_add_failure(struct line *line, const struct service_settings *settings,
			     const struct refusal *refusal)
{
	line_add(line, "FAIL: %s %s", settings->id, verdict_text(refusal->verdict));
	if (refusal->peer)
		line_add_peer(line, refusal->peer, settings->log_on_failure);
	else if (settings->log_on_failure & LOG_FLAG_HOST)
		line_add(line, " from=<several addresses>");
	if (refusal->count > 0)
		line_add(line, " count=%" PRIu64, refusal->count);
}

void record_fail(const struct service_settings *settings, struct sink *log,
		 const struct refusal *refusal)
{
	struct line line = { .length = 0 };
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
	struct line line = { .length = 0 };

	line_add(&line, "USERID: %s %s", session->settings->id, user);
	write_about(session, &line, user);
}

void record_noid(const struct session *session, const char *reason)
{
	struct refusal refusal = {
		.verdict = REFUSED_IDENT,
		.peer = &session->peer,
		.session = session,
	};
	struct line line = { .length = 0 };
	char text[ADDRESS_TEXT_SIZE];
	struct record_facts record;

	line_add(&line, "NOID: %s %s %s", session->settings->id, log_address(&session->peer, text),
		 reason);
	if (!log_takes_facts(session->log)) {
		line_write(&line, session->log);
		return;
	}
	record_facts_refusal(&record, session->settings, &refusal);
	write_with_facts(&line, session->log, &record);
}

void record_traffic(struct session *session, uint64_t in, uint64_t out)
{
	struct line line = { .length = 0 };

	session->received = in;
	session->sent = out;
	if (!(session->settings->log_on_success & LOG_FLAG_TRAFFIC))
		return;
	session->has_traffic = true;
	if (log_takes_facts(session->log))
		return;
	line_add(&line, "TRAFFIC: %s in=%" PRIu64 "(bytes) out=%" PRIu64 "(bytes)",
		 session->settings->id, in, out);
	line_write(&line, session->log);
}
