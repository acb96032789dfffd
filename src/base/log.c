#include "base/log.h"

#include "base/datagram_socket.h"
#include "base/own_name.h"
#include "base/sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 1024 };

static struct sink *sink_of_log;
static struct sink *copies; /* for copies of errors; NULL: none are written */
static int lowest_level = LOG_INFO;

static void log_trouble(const char *sentence);

static void use_sink(struct sink *sink)
{
	struct sink *old = sink_of_log;

	sink_on_trouble(log_trouble);
	sink_of_log = sink;
	sink_release(old);
}

int log_to_file(const char *path)
{
	struct sink *sink = sink_open_file(path, 0, 0, own_name());

	if (!sink)
		return -1;
	use_sink(sink);
	return 0;
}

int log_to_syslog(int facility)
{
	struct sink *sink = sink_open_syslog(facility, LOG_INFO);

	if (!sink)
		return -1;
	use_sink(sink);
	return 0;
}

/* The journal has times of its own: JOURNAL_STREAM is then "DEVICE:INODE" (systemd.exec(5)) of
 * what standard error leads to. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char text[64];

	if (!stream || fstat(fd, &status) < 0)
		return false;
	snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(stream, text) == 0;
}

static void use_stderr(bool has_times)
{
	struct sink *sink = sink_open_descriptor(STDERR_FILENO);

	if (!sink)
		return;
	if (has_times)
		sink_stamp(sink);
	use_sink(sink);
}

void log_to_stderr(void)
{
	use_stderr(false);
}

void log_to_terminal(void)
{
	use_stderr(!is_journal(STDERR_FILENO));
}

void log_set_level(int level)
{
	lowest_level = level;
}

void log_copy_errors_to_stderr(void)
{
	if (!copies)
		copies = sink_open_descriptor(STDERR_FILENO);
}

void log_stop_copying(void)
{
	sink_release(copies);
	copies = NULL;
}

struct sink *log_sink(void)
{
	if (!sink_of_log)
		log_to_stderr();
	return sink_of_log;
}

const char *log_level_name(int level)
{
	static const char *const names[] = {
		[LOG_EMERG] = "CRITICAL", [LOG_ALERT] = "CRITICAL",  [LOG_CRIT] = "CRITICAL",
		[LOG_ERR] = "ERROR",      [LOG_WARNING] = "WARNING", [LOG_NOTICE] = "NOTICE",
		[LOG_INFO] = "INFO",      [LOG_DEBUG] = "DEBUG",
	};

	return level < LOG_EMERG ? "CRITICAL" : level > LOG_DEBUG ? "DEBUG" : names[level];
}

/* Writes one escape, or the byte itself. Returns its length, at most 4. */
static size_t escape_byte(char escape[static 5], unsigned char byte)
{
	static const char named[][2] = {
		{ '\n', 'n' },
		{ '\r', 'r' },
		{ '\t', 't' },
		{ '\\', '\\' },
	};

	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (byte == (unsigned char)named[i][0]) {
			escape[0] = '\\';
			escape[1] = named[i][1];
			return 2;
		}
	if (byte >= ' ' && byte < 0x7f) {
		escape[0] = (char)byte;
		return 1;
	}
	return (size_t)snprintf(escape, 5, "\\x%02X", byte);
}

size_t log_escape_some(char *escaped, size_t size, const char *bytes, size_t length)
{
	size_t used = 0, i;

	for (i = 0; i < length; i++) {
		char escape[5];
		size_t more = escape_byte(escape, (unsigned char)bytes[i]);

		if (more >= size - used)
			break;
		memcpy(escaped + used, escape, more);
		used += more;
	}
	escaped[used] = '\0';
	return i;
}

char *log_escape(char *escaped, size_t size, const char *bytes, size_t length)
{
	log_escape_some(escaped, size, bytes, length);
	return escaped;
}

/* Appends text with control characters escaped. Backslashes are kept, because text may
 * have escapes from log_escape. Returns how much of line is in use. */
static size_t add_text(char line[static LINE_SIZE], size_t used, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		bool is_control = byte < ' ' || byte == 0x7f;
		char escape[5] = { *text };
		size_t more = is_control ? escape_byte(escape, byte) : 1;

		if (more > LINE_SIZE - used)
			break;
		memcpy(line + used, escape, more);
		used += more;
	}
	return used;
}

/* --- the formats ------------------------------------------------------------------------- */

static const char *const journal_path = "/run/systemd/journal/socket";
static struct datagram_socket journal = { .fd = -1 };
static bool journal_is_silent;
static enum log_format form;
static struct source_prefix lengths = { .in4 = 32, .in6 = 128 };

void log_set_style(struct log_style style)
{
	form = style.format < LOG_FORMATS ? (enum log_format)style.format : LOG_FORMAT_XINETD;
	lengths = style.lengths;
}

const char *log_format_name(enum log_format format)
{
	static const char *const names[LOG_FORMATS] = {
		[LOG_FORMAT_XINETD] = "xinetd",
		[LOG_FORMAT_JSON] = "json",
		[LOG_FORMAT_JOURNAL] = "journal",
	};

	return names[format];
}

static void clear_bits(unsigned char *bytes, size_t size, size_t kept)
{
	for (size_t bit = kept; bit < 8 * size; bit++)
		bytes[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
}

const char *log_address(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
	struct address cut = *address;

	if (cut.any.sa_family == AF_INET)
		clear_bits((unsigned char *)&cut.in4.sin_addr, sizeof cut.in4.sin_addr,
			   lengths.in4);
	else if (cut.any.sa_family == AF_INET6)
		clear_bits(cut.in6.sin6_addr.s6_addr, sizeof cut.in6.sin6_addr, lengths.in6);
	return address_text(&cut, text);
}

void log_use_journal_socket(const char *path)
{
	datagram_socket_use(&journal, path);
}

bool log_takes_facts(const struct sink *sink)
{
	if (!sink)
		sink = log_sink();
	return form == LOG_FORMAT_JSON ||
	       (form == LOG_FORMAT_JOURNAL && sink && !sink_is_file(sink));
}

static struct log_moment moment_of(int level, const char *message)
{
	struct log_moment moment = { .level = level, .message = message };

	clock_gettime(CLOCK_REALTIME_COARSE, &moment.time);
	return moment;
}

/* Says when that begins and ends; what it says goes the other way meanwhile. */
static void note_journal(bool is_silent)
{
	if (is_silent == journal_is_silent)
		return;
	journal_is_silent = is_silent;
	if (is_silent)
		log_error(
			"the journal takes no messages: %s; they go where they would go without it",
			strerror(errno));
	else
		log_notice("the journal takes messages again");
}

/* False when journald did not take it. */
static bool send_to_journal(const struct log_facts *facts, const struct log_moment *moment)
{
	char text[LOG_FORM_SIZE];
	size_t length = log_facts_journal(facts, moment, text);
	int result;

	if (!journal.path)
		journal.path = journal_path;
	result = datagram_socket_send(&journal, text, length);
	note_journal(result < 0);
	return result == 0;
}

static void write_json(struct sink *sink, const struct log_facts *facts,
		       const struct log_moment *moment, bool is_service)
{
	char line[LOG_FORM_SIZE];
	size_t length = log_facts_json(facts, moment, line);

	if (is_service)
		sink_record(sink, line, length);
	else
		sink_record_at(sink, moment->level, line, length);
}

/* A message in xinetd's format; reason NULL: none. */
static void write_text(struct sink *sink, int level, const char *text, const char *reason)
{
	char line[LINE_SIZE];
	size_t used = 0;

	if (!sink_is_syslog(sink)) {
		used = add_text(line, used, log_level_name(level));
		used = add_text(line, used, ": ");
	}
	used = add_text(line, used, text);
	if (reason) {
		used = add_text(line, used, ": ");
		used = add_text(line, used, reason);
	}
	sink_message(sink, level, line, used);
}

/* False: the log does not take facts. The text's control characters are escaped, as far as a
 * line has room. */
static bool write_facts(struct sink *sink, const struct log_facts *facts, int level,
			const char *text, const char *reason)
{
	char message[LINE_SIZE + 1];
	struct log_moment moment = moment_of(level, message);
	size_t used;

	if (!log_takes_facts(sink))
		return false;
	used = add_text(message, 0, text);
	if (reason) {
		used = add_text(message, used, ": ");
		used = add_text(message, used, reason);
	}
	message[used] = '\0';
	if (form != LOG_FORMAT_JSON)
		return send_to_journal(facts, &moment);
	write_json(sink, facts, &moment, false);
	return true;
}

void log_service_line(struct sink *sink, const struct log_facts *facts, const char *text)
{
	struct sink *to = sink ? sink : log_sink();
	bool is_told = form == LOG_FORMAT_JSON && facts->event != LOG_EVENT_MESSAGE;
	struct log_moment moment = moment_of(LOG_INFO, is_told ? NULL : text);

	if (!to || (!sink && lowest_level < LOG_INFO))
		return;
	if (form == LOG_FORMAT_JSON)
		write_json(to, facts, &moment, sink != NULL);
	else if (log_takes_facts(to) && send_to_journal(facts, &moment))
		return;
	else if (sink)
		sink_line(sink, text, strlen(text));
	else
		write_text(to, LOG_INFO, text, NULL);
}

/* --- messages ---------------------------------------------------------------------------- */

static const struct log_facts no_facts;

__attribute__((format(printf, 4, 0))) static void log_formatted(int level,
								const struct log_facts *facts,
								const char *reason,
								const char *format,
								va_list arguments)
{
	char text[LINE_SIZE];
	int error = errno;

	if (level <= lowest_level && log_sink()) {
		errno = error; /* for %m */
		vsnprintf(text, sizeof text, format, arguments);
		if (!write_facts(sink_of_log, facts, level, text, reason))
			write_text(sink_of_log, level, text, reason);
		if (copies && level <= LOG_ERR)
			write_text(copies, level, text, reason);
	}
	errno = error;
}

void log_message(int level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_formatted(level, &no_facts, NULL, format, arguments);
	va_end(arguments);
}

static struct log_facts facts_of_state(const char *service, const char *state)
{
	struct log_facts facts = { .event = LOG_EVENT_SERVICE_STATE };

	log_facts_text(&facts, "usherd.service", service);
	log_facts_text(&facts, "usherd.state", state);
	return facts;
}

void log_state(int level, const char *service, const char *state, const char *format, ...)
{
	struct log_facts facts = facts_of_state(service, state);
	va_list arguments;

	va_start(arguments, format);
	log_formatted(level, &facts, NULL, format, arguments);
	va_end(arguments);
}

void log_event(int level, const struct log_facts *facts, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_formatted(level, facts, NULL, format, arguments);
	va_end(arguments);
}

void log_failure(int error, const char *format, ...)
{
	int kept = errno;
	va_list arguments;

	va_start(arguments, format);
	log_formatted(LOG_ERR, &no_facts, strerror(error), format, arguments);
	va_end(arguments);
	errno = kept;
}

/* If the log itself is in trouble, the sentence goes to standard error. Trouble with
 * standard error is not reported. */
static void log_trouble(const char *sentence)
{
	static bool is_telling;
	struct sink *stderr_sink;

	if (is_telling)
		return;
	is_telling = true;
	if (!sink_is_losing(sink_of_log)) {
		log_error("%s", sentence);
	} else {
		stderr_sink = sink_open_descriptor(STDERR_FILENO);
		if (stderr_sink)
			write_text(stderr_sink, LOG_ERR, sentence, NULL);
		sink_release(stderr_sink);
	}
	is_telling = false;
}
