#include "base/log_facts.h"

#include "base/own_name.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static void add(struct log_facts *facts, struct log_fact fact)
{
	if (facts->count < LOG_FACTS_MAX)
		facts->list[facts->count++] = fact;
}

void log_facts_text(struct log_facts *facts, const char *key, const char *text)
{
	if (text && *text)
		add(facts, (struct log_fact){ .key = key, .text = text });
}

void log_facts_number(struct log_facts *facts, const char *key, uint64_t number)
{
	add(facts, (struct log_fact){ .key = key, .number = number });
}

void log_facts_thousandths(struct log_facts *facts, const char *key, uint64_t number)
{
	add(facts, (struct log_fact){ .key = key, .number = number, .thousandths = 1 });
}

/* The ids are random; packaging/usherd.catalog has them, too. */
static const struct {
	const char *name, *id;
} events[LOG_EVENTS] = {
	[LOG_EVENT_MESSAGE] = { "message", NULL },
	[LOG_EVENT_SESSION_START] = { "session.start", "21d488e0707d49df8d2bdeae58601df2" },
	[LOG_EVENT_SESSION_END] = { "session.end", "b80fc89627a3417492a6f16596682f4e" },
	[LOG_EVENT_SESSION_REFUSED] = { "session.refused", "5ca74e1196374c67b76f30d260bfd752" },
	[LOG_EVENT_SERVICE_STATE] = { "service.state", "ed4c94fe64a2401ca0cb862b47b6a098" },
	[LOG_EVENT_RELOAD] = { "reload", "3f132785f1ce4ec1a247126286fb883f" },
};

const char *log_event_name(enum log_event event)
{
	return events[event].name;
}

const char *log_event_id(enum log_event event)
{
	return events[event].id;
}

/* --- text with an end -------------------------------------------------------------------- */

struct form {
	char *text;
	size_t length, size;
};

/* False, and nothing is added, when there is no room. */
static bool form_add(struct form *form, const char *bytes, size_t length)
{
	if (length > form->size - form->length)
		return false;
	memcpy(form->text + form->length, bytes, length);
	form->length += length;
	return true;
}

static bool form_print(struct form *form, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool form_print(struct form *form, const char *format, ...)
{
	char text[128];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return length >= 0 && (size_t)length < sizeof text && form_add(form, text, (size_t)length);
}

static bool print_number(struct form *form, const struct log_fact *fact)
{
	if (fact->thousandths)
		return form_print(form, "%" PRIu64 ".%03u", fact->number / 1000,
				  (unsigned)(fact->number % 1000));
	return form_print(form, "%" PRIu64, fact->number);
}

/* --- JSON -------------------------------------------------------------------------------- */

/* Adds one character, and moves *text behind it. False when there is no room. */
static bool add_character(struct form *form, const char **text)
{
	const unsigned char *bytes = (const unsigned char *)*text;
	size_t length = utf8_length(*text);
	bool fits;

	if (length == 0)
		fits = form_print(form, "\\ufffd");
	else if (*bytes == '"' || *bytes == '\\')
		fits = form_print(form, "\\%c", *bytes);
	else if (*bytes < ' ' || *bytes == 0x7f)
		fits = form_print(form, "\\u%04x", *bytes);
	else
		fits = form_add(form, *text, length);
	*text += length ? length : 1;
	return fits;
}

/* With is_whole false, as much of text as there is room for. */
static bool add_string(struct form *form, const char *text, bool is_whole)
{
	bool fits = form->size - form->length >= 2 && form_add(form, "\"", 1);

	if (!fits)
		return false;
	form->size--; /* for the second one */
	while (*text && fits)
		fits = add_character(form, &text);
	form->size++;
	return form_add(form, "\"", 1) && (fits || !is_whole);
}

/* Adds a member, or nothing. */
static void add_member(struct form *form, const struct log_fact *fact, bool is_whole)
{
	struct form before = *form;
	bool fits = form_print(form, "%s\"%s\":", form->length > 1 ? "," : "", fact->key);

	if (fits)
		fits = fact->text ? add_string(form, fact->text, is_whole)
				  : print_number(form, fact);
	if (!fits)
		*form = before;
}

static const char *level_text(int level)
{
	static const char *const texts[] = {
		[LOG_EMERG] = "critical", [LOG_ALERT] = "critical",  [LOG_CRIT] = "critical",
		[LOG_ERR] = "error",      [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
		[LOG_INFO] = "info",      [LOG_DEBUG] = "debug",
	};

	return level < LOG_EMERG ? "critical" : level > LOG_DEBUG ? "debug" : texts[level];
}

/* RFC 3339, UTC. */
static void add_time(struct form *form, const struct timespec *time)
{
	struct tm utc = { .tm_mday = 1 };

	gmtime_r(&time->tv_sec, &utc);
	form_print(form, "\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", utc.tm_year + 1900,
		   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
		   (int)(time->tv_nsec / 1000000));
}

size_t log_facts_json(const struct log_facts *facts, const struct log_moment *moment,
		      char line[static LOG_FORM_SIZE])
{
	struct form form = { .text = line, .size = LOG_FORM_SIZE - 1 };

	form_add(&form, "{", 1);
	add_time(&form, &moment->time);
	add_member(&form, &(struct log_fact){ .key = "level", .text = level_text(moment->level) },
		   true);
	add_member(&form,
		   &(struct log_fact){ .key = "event", .text = log_event_name(facts->event) },
		   true);
	for (size_t i = 0; i < facts->count; i++)
		add_member(&form, &facts->list[i], true);
	if (moment->message)
		add_member(&form, &(struct log_fact){ .key = "message", .text = moment->message },
			   false);
	line[form.length++] = '}';
	return form.length;
}

/* --- the journal ------------------------------------------------------------------------- */

static char journal_byte(char byte)
{
	if (byte >= 'a' && byte <= 'z')
		return (char)(byte - 'a' + 'A');
	return byte == '.' ? '_' : byte;
}

static bool add_key(struct form *form, const char *key)
{
	bool fits = true;

	for (; *key && fits; key++) {
		char byte = journal_byte(*key);

		fits = form_add(form, &byte, 1);
	}
	return fits && form_add(form, "=", 1);
}

/* The end of a line ends a field. */
static bool add_value(struct form *form, const char *text)
{
	bool fits = true;

	for (; *text && fits; text++)
		fits = form_add(form, *text == '\n' ? " " : text, 1);
	return fits;
}

static void add_field(struct form *form, const struct log_fact *fact)
{
	struct form before = *form;
	bool fits = add_key(form, fact->key);

	if (fits)
		fits = fact->text ? add_value(form, fact->text) : print_number(form, fact);
	if (!fits || !form_add(form, "\n", 1))
		*form = before;
}

static void add_text_field(struct form *form, const char *key, const char *text)
{
	if (text)
		add_field(form, &(struct log_fact){ .key = key, .text = text });
}

size_t log_facts_journal(const struct log_facts *facts, const struct log_moment *moment,
			 char text[static LOG_FORM_SIZE])
{
	struct form form = { .text = text, .size = LOG_FORM_SIZE };

	add_text_field(&form, "MESSAGE",
		       moment->message ? moment->message : log_event_name(facts->event));
	add_field(&form, &(struct log_fact){ .key = "PRIORITY",
					     .number = (uint64_t)(moment->level & LOG_PRIMASK) });
	add_text_field(&form, "MESSAGE_ID", log_event_id(facts->event));
	add_field(&form,
		  &(struct log_fact){ .key = "SYSLOG_FACILITY", .number = LOG_FAC(LOG_DAEMON) });
	add_text_field(&form, "SYSLOG_IDENTIFIER", own_tag());
	add_field(&form,
		  &(struct log_fact){ .key = "SYSLOG_PID", .number = (uint64_t)own_process() });
	add_text_field(&form, "USHERD_EVENT", log_event_name(facts->event));
	for (size_t i = 0; i < facts->count; i++)
		add_field(&form, &facts->list[i]);
	return form.length;
}
