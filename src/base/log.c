#include "base/log.h"

#include "base/own_name.h"
#include "base/sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
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

void log_to_stderr(void)
{
	struct sink *sink = sink_open_descriptor(STDERR_FILENO);

	if (sink)
		use_sink(sink);
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

static void write_message(struct sink *sink, int level, const char *text, const char *reason)
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

__attribute__((format(printf, 3, 0))) static void log_formatted(int level, const char *reason,
								const char *format,
								va_list arguments)
{
	char text[LINE_SIZE];
	int error = errno;

	if (level <= lowest_level && log_sink()) {
		errno = error; /* for %m */
		vsnprintf(text, sizeof text, format, arguments);
		write_message(sink_of_log, level, text, reason);
		if (copies && level <= LOG_ERR)
			write_message(copies, level, text, reason);
	}
	errno = error;
}

void log_message(int level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_formatted(level, NULL, format, arguments);
	va_end(arguments);
}

void log_failure(int error, const char *format, ...)
{
	int kept = errno;
	va_list arguments;

	va_start(arguments, format);
	log_formatted(LOG_ERR, strerror(error), format, arguments);
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
			write_message(stderr_sink, LOG_ERR, sentence, NULL);
		sink_release(stderr_sink);
	}
	is_telling = false;
}
