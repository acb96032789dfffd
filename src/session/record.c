#include "session/record.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sink.h"

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
		line_add(line, " from=%s", address_text(peer, text));
}

static void line_write(const struct line *line, struct sink *log)
{
	if (log)
		sink_line(log, line->text, line->length);
	else
		log_message(LOG_INFO, "%s", line->text);
}

static void line_add_id(struct line *line, struct session_id id, unsigned flags)
{
	char text[SESSION_ID_SIZE];

	if (flags & LOG_FLAG_SESSION)
		line_add(line, " session=%s", session_id_text(id, text));
}

static void write_start(const struct service_settings *settings, struct sink *log, pid_t pid,
			const struct address *peer, struct session_id id)
{
	struct line line = { .length = 0 };

	if (!settings->log_on_success)
		return;
	line_add(&line, "START: %s", settings->id);
	if (settings->log_on_success & LOG_FLAG_PID)
		line_add(&line, " pid=%d", (int)pid);
	line_add_peer(&line, peer, settings->log_on_success);
	line_add_id(&line, id, settings->log_on_success);
	line_write(&line, log);
}

void record_start(const struct session *session)
{
	write_start(session->settings, session->log, session->pid, &session->peer, session->id);
}

void record_answer(const struct service_settings *settings, struct sink *log,
		   const struct address *peer)
{
	write_start(settings, log, 0, peer, (struct session_id){ 0, 0 });
}

static void line_add_status(struct line *line, int status)
{
	if (WIFSIGNALED(status))
		line_add(line, " signal=%d", WTERMSIG(status));
	else
		line_add(line, " status=%d", WEXITSTATUS(status));
}

void record_exit(const struct session *session, int status)
{
	unsigned flags = session->settings->log_on_success;
	struct line line = { .length = 0 };

	if (!(flags & (LOG_FLAG_EXIT | LOG_FLAG_DURATION | LOG_FLAG_REASON | LOG_FLAG_SESSION)))
		return;
	line_add(&line, "EXIT: %s", session->settings->id);
	if (flags & LOG_FLAG_EXIT)
		line_add_status(&line, status);
	if (flags & LOG_FLAG_PID)
		line_add(&line, " pid=%d", (int)session->pid);
	if (flags & LOG_FLAG_DURATION)
		line_add(&line, " duration=%" PRIu64 "(sec)",
			 ((session->ended ? session->ended : clock_now()) - session->opened) /
				 1000);
	if (flags & LOG_FLAG_REASON)
		line_add(&line, " reason=%s", end_reason_text(session->reason));
	line_add_id(&line, session->id, flags);
	line_write(&line, session->log);
}

void record_usage(const struct session *session, uint64_t cpu_us, uint64_t max_rss)
{
	unsigned flags = session->settings->log_on_success;
	struct line line = { .length = 0 };

	if (!(flags & LOG_FLAG_RUSAGE))
		return;
	line_add(&line, "RUSAGE: %s", session->settings->id);
	if (flags & LOG_FLAG_PID)
		line_add(&line, " pid=%d", (int)session->pid);
	line_add(&line, " cpu=%" PRIu64 ".%03u(sec) maxrss=%" PRIu64 "(KiB)", cpu_us / 1000000,
		 (unsigned)(cpu_us / 1000 % 1000), max_rss);
	line_write(&line, session->log);
}

static void line_add_failure(struct line *line, const struct service_settings *settings,
			     enum verdict verdict, const struct address *peer)
{
	line_add(line, "FAIL: %s %s", settings->id, verdict_text(verdict));
	if (peer)
		line_add_peer(line, peer, settings->log_on_failure);
	else if (settings->log_on_failure & LOG_FLAG_HOST)
		line_add(line, " from=<several addresses>");
}

void record_fail(const struct service_settings *settings, struct sink *log, enum verdict verdict,
		 const struct address *peer)
{
	struct line line = { .length = 0 };

	if (!settings->log_on_failure)
		return;
	line_add_failure(&line, settings, verdict, peer);
	line_write(&line, log);
}

void record_failures(const struct service_settings *settings, struct sink *log,
		     enum verdict verdict, const struct address *peer, uint64_t count)
{
	struct line line = { .length = 0 };

	if (!settings->log_on_failure)
		return;
	line_add_failure(&line, settings, verdict, peer);
	line_add(&line, " count=%" PRIu64, count);
	line_write(&line, log);
}

void record_userid(const struct session *session, const char *user)
{
	struct line line = { .length = 0 };

	line_add(&line, "USERID: %s %s", session->settings->id, user);
	line_write(&line, session->log);
}

void record_noid(const struct session *session, const char *reason)
{
	struct line line = { .length = 0 };
	char text[ADDRESS_TEXT_SIZE];

	line_add(&line, "NOID: %s %s %s", session->settings->id, address_text(&session->peer, text),
		 reason);
	line_write(&line, session->log);
}

void record_traffic(const struct session *session, uint64_t in, uint64_t out)
{
	struct line line = { .length = 0 };

	if (!(session->settings->log_on_success & LOG_FLAG_TRAFFIC))
		return;
	line_add(&line, "TRAFFIC: %s in=%" PRIu64 "(bytes) out=%" PRIu64 "(bytes)",
		 session->settings->id, in, out);
	line_write(&line, session->log);
}
