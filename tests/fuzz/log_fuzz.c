/* Hostile text in the log: escaped for a line, in a message, and in a service's lines.
 * A line stays one line, is printable where the header says so, and has as much of the
 * text as fits, so that the text can be read back. */
#include "base/log.h"
#include "base/loop.h"
#include "base/sink.h"
#include "session/record.h"

#include "fuzz.h"
#include "support/escapes.h"
#include "support/own_log.h"

#include <syslog.h>

enum { LINE_LENGTH_MAX = 1024 };

/* --- escaping --------------------------------------------------------------------- */

static void check_escape(struct input bytes, size_t size)
{
	char *escaped = malloc(size);
	size_t used, taken;

	require(escaped != NULL);
	taken = log_escape_some(escaped, size, (const char *)bytes.bytes, bytes.length);
	require(memchr(escaped, '\0', size) != NULL);
	used = strlen(escaped);
	require(escapes_match(escaped, bytes) == taken);
	/* Bytes are left out only without room for an escape of four. */
	require(taken == bytes.length || used + 4 >= size);
	free(escaped);
}

/* --- messages ----------------------------------------------------------------------- */

/* The only line that has been logged. */
static char *take_line(void)
{
	size_t length;
	char *line = own_log_take(&length);

	require(length > 0 && line[length - 1] == '\n' && strlen(line) == length);
	line[length - 1] = '\0';
	require(!strpbrk(line, "\n\r\t\033\177"));
	return line;
}

/* The text of the message after its level. */
static const char *take_message(int level)
{
	const char *text = own_log_message(take_line()), *name = log_level_name(level);
	size_t length = strlen(name);

	require(text && strlen(text) <= LINE_LENGTH_MAX);
	require(strncmp(text, name, length) == 0 && memcmp(text + length, ": ", 2) == 0);
	return text + length + 2;
}

static void check_message(struct input bytes, int level)
{
	char escaped[LINE_LENGTH_MAX], *text = input_string(bytes);
	const char *logged;

	log_message(level, "%s", text);
	take_message(level);
	log_failure((int)(bytes.length % 134), "%s", text);
	take_message(LOG_ERR);
	log_message(level, "%s",
		    log_escape(escaped, sizeof escaped, (const char *)bytes.bytes, bytes.length));
	logged = take_message(level);
	require(is_printable(logged, strlen(logged)));
	require(strncmp(escaped, logged, strlen(logged)) == 0);
	free(text);
}

/* --- a service's lines -------------------------------------------------------------------- */

/* The object ends, and each quote that is not escaped begins or ends a string. */
static void check_facts(struct input input, int level)
{
	struct log_facts facts = { .event = (enum log_event)(level % LOG_EVENTS) };
	struct log_moment moment = { .time.tv_sec = (time_t)input.length, .level = level };
	char text[3001], line[LOG_FORM_SIZE];
	size_t length = input.length < 3000 ? input.length : 3000, quotes = 0;

	memcpy(text, input.bytes, length);
	text[length] = '\0';
	for (int i = 0; i < level; i++)
		log_facts_text(&facts, "reason", text);
	moment.message = text;
	length = log_facts_json(&facts, &moment, line);
	require(length <= LOG_FORM_SIZE && line[0] == '{' && line[length - 1] == '}');
	for (size_t i = 0; i < length; i++) {
		require((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
		if (line[i] == '\\')
			i++;
		else
			quotes += line[i] == '"';
	}
	require(quotes % 2 == 0);
	length = log_facts_journal(&facts, &moment, line);
	require(length <= LOG_FORM_SIZE && line[length - 1] == '\n');
}

static void on_closed(struct session *session)
{
	(void)session;
}

/* With a peer address from the input. */
static struct session *session_of(struct service_settings *settings, struct sink *sink,
				  struct input *input)
{
	static const struct session_owner nobody = { .closed = on_closed };
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };
	struct address peer;
	struct session *session;

	if (input_byte(input) & 1)
		from.sin6_family = AF_INET;
	for (size_t i = sizeof from.sin6_family; i < sizeof from; i++)
		((uint8_t *)&from)[i] = input_byte(input);
	peer = address_from_sockaddr((struct sockaddr *)&from, sizeof from);
	session = session_open(settings, sink, -1, &peer, &nobody);
	require(session != NULL);
	return session;
}

/* Takes a line of that kind, which must begin with the service's id. */
static void take_record(const char *kind, const struct session *session)
{
	const char *text = session->log ? own_log_record(take_line()) : take_message(LOG_INFO);
	const char *id = session->settings->id;
	size_t length = strlen(kind), room = LINE_LENGTH_MAX - 32 - length;

	require(text && strlen(text) < LINE_LENGTH_MAX && is_printable(text, strlen(text)));
	require(strncmp(text, kind, length) == 0);
	require(strncmp(text + length, id, strlen(id) < room ? strlen(id) : room) == 0);
}

static void check_records(struct session *session, struct input input)
{
	struct service_settings *settings = session->settings;
	int status = input_byte(&input) | input_byte(&input) << 8;
	char user[512];

	log_escape(user, sizeof user, (const char *)input.bytes, input.length);
	session->pid = status;
	record_start(session);
	take_record("START: ", session);
	record_exit(session, status);
	take_record("EXIT: ", session);
	record_usage(session, (uint64_t)input.length << status % 60, UINT64_MAX - input.length);
	take_record("RUSAGE: ", session);
	record_fail(settings, session->log,
		    &(struct refusal){ .verdict = (enum verdict)(status % VERDICT_COUNT),
				       .peer = &session->peer });
	take_record("FAIL: ", session);
	record_userid(session, user);
	take_record("USERID: ", session);
	record_noid(session, user);
	take_record("NOID: ", session);
	record_traffic(session, (uint64_t)input.length << status % 60, UINT64_MAX - input.length);
	take_record("TRAFFIC: ", session);
}

/* The administrator chooses the id: it may be long, but is not hostile. */
static void check_service(struct input input)
{
	struct service_settings *settings = service_settings_new();
	bool has_log = input_byte(&input) & 1;
	struct session *session;
	char id[LINE_LENGTH_MAX * 2];

	require(settings != NULL);
	log_escape(id, input_byte(&input) * 8U + 1, (const char *)input.bytes, input.length);
	settings->id = settings->name = arena_string(&settings->arena, id);
	settings->log_on_success = settings->log_on_failure = ~0U;
	session = session_of(settings, has_log ? log_sink() : NULL, &input);
	check_records(session, input);
	session_close(session);
	service_settings_release(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static bool is_ready;
	struct input input = { bytes, length };
	size_t size = input_byte(&input) * 8U + 1;
	int level = input_byte(&input) % 7;

	if (!is_ready) {
		own_log_open();
		require(loop_init() == 0);
	}
	is_ready = true;
	check_escape(input, size);
	check_escape(input, input.length * 4 + 1);
	check_message(input, level);
	check_facts(input, level);
	check_service(input);
	return 0;
}
