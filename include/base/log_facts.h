/* The facts of a log line by name, and the two forms in which they are written beside xinetd's:
 * a line of JSON (RFC 8259), and a message of the journal's native protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL). Pure. */
#ifndef USHERD_BASE_LOG_FACTS_H
#define USHERD_BASE_LOG_FACTS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum log_event {
	LOG_EVENT_MESSAGE, /* anything else */
	LOG_EVENT_SESSION_START,
	LOG_EVENT_SESSION_END,
	LOG_EVENT_SESSION_REFUSED,
	LOG_EVENT_SERVICE_STATE,
	LOG_EVENT_RELOAD,
	LOG_EVENTS
};

struct log_fact {
	const char *key;      /* lower-case words with dots and underscores */
	const char *text;     /* NULL: a number */
	uint64_t number;      /* in units of ... */
	unsigned thousandths; /* ... 1 or, where this is not 0, of a thousandth */
};

enum { LOG_FACTS_MAX = 24 };

/* All zero is a message without facts. Texts are the caller's until it is written. */
struct log_facts {
	enum log_event event;
	size_t count;
	struct log_fact list[LOG_FACTS_MAX];
};

/* Each adds a fact. A text that is NULL or empty is none. */
void log_facts_text(struct log_facts *facts, const char *key, const char *text);
void log_facts_number(struct log_facts *facts, const char *key, uint64_t number);
void log_facts_thousandths(struct log_facts *facts, const char *key, uint64_t number);

/* "session.start" ... */
const char *log_event_name(enum log_event event);

/* The MESSAGE_ID of the journal, 32 hexadecimal digits; NULL: it has none. */
const char *log_event_id(enum log_event event);

enum { LOG_FORM_SIZE = 8 * 1024 }; /* bytes of a line or message, at most */

struct log_moment {
	struct timespec time; /* since the epoch */
	int level;            /* of syslog.h */
	const char *message;  /* NULL: none, the facts say it all */
};

/* One object on one line, without the newline: {"time":"2026-11-21T07:07:01.123Z","level":
 * "info","event":"session.start", then the facts and the message}. UTF-8, whatever the texts are;
 * what has no room is left out, and the message is cut. Returns its length. */
size_t log_facts_json(const struct log_facts *facts, const struct log_moment *moment,
		      char line[static LOG_FORM_SIZE]);

/* MESSAGE, PRIORITY, MESSAGE_ID, SYSLOG_IDENTIFIER and so on, USHERD_EVENT, and the facts with
 * upper-case keys in which each dot is an underscore. The message has control characters
 * escaped already, and so have texts. Returns its length. */
size_t log_facts_journal(const struct log_facts *facts, const struct log_moment *moment,
			 char text[static LOG_FORM_SIZE]);

#endif
