#include "admission/sensor_list.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/own_name.h"
#include "base/sink.h"
#include "base/tcp_state.h"
#include "frontend/adoption.h"
#include "frontend/facts.h"
#include "frontend/last_load.h"
#include "frontend/sensors.h"
#include "frontend/status_parts.h"
#include "handlers/launch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- members -------------------------------------------------------------------------------- */

static void key(FILE *out, const char *name)
{
	fprintf(out, ", \"%s\": ", name);
}

static void string(FILE *out, const char *name, const char *value)
{
	key(out, name);
	json_string(out, value);
}

static void number(FILE *out, const char *name, uint64_t value)
{
	key(out, name);
	fprintf(out, "%" PRIu64, value);
}

static void boolean(FILE *out, const char *name, bool value)
{
	key(out, name);
	fputs(value ? "true" : "false", out);
}

static void seconds(FILE *out, const char *name, uint64_t ms)
{
	key(out, name);
	fprintf(out, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

static void address(FILE *out, const char *name, const struct address *value)
{
	char text[ADDRESS_TEXT_SIZE];

	key(out, name);
	if (address_is_known(value))
		json_string(out, address_text(value, text));
	else
		fputs("null", out);
}

/* --- services ------------------------------------------------------------------------------- */

static void write_listener(FILE *out, const struct listener *listener)
{
	struct address at = facts_bound_address(listener);
	struct tcp_queue queue;

	fputs("{\"protocol\": ", out);
	json_string(out, listener->settings->protocol);
	address(out, "address", &at);
	number(out, "port", address_port(&at));
	boolean(out, "is_bound", listener_is_open(listener));
	if (!listener_is_open(listener) && listener->error)
		string(out, "error", strerror(listener->error));
	if (listener_is_open(listener) && tcp_queue_read(listener->watch.fd, &queue) == 0) {
		number(out, "accept_queue_length", queue.length);
		number(out, "accept_queue_limit", queue.limit);
	}
	putc('}', out);
}

static void write_listeners(FILE *out, const struct service *service)
{
	const struct listener *listener;
	const char *separator = "";

	key(out, "sockets");
	putc('[', out);
	LIST_FOREACH(listener, &service->listeners, link) {
		fputs(separator, out);
		write_listener(out, listener);
		separator = ", ";
	}
	putc(']', out);
}

static void write_failures(FILE *out, const struct failures *failures)
{
	const char *separator = "";

	key(out, "refused");
	putc('{', out);
	for (int verdict = 0; failures && verdict < VERDICT_COUNT; verdict++)
		if (failures->refused[verdict]) {
			fputs(separator, out);
			json_string(out, verdict_name((enum verdict)verdict));
			fprintf(out, ": %" PRIu64, failures->refused[verdict]);
			separator = ", ";
		}
	putc('}', out);
	key(out, "last_failure");
	if (!failures || !failures->last_time) {
		fputs("null", out);
		return;
	}
	fprintf(out, "{\"time\": %" PRId64 ", \"text\": ", failures->last_time);
	json_string(out, failures->last);
	putc('}', out);
}

static void write_service(FILE *out, const struct service *service)
{
	char why[FACTS_WHY_SIZE];

	fputs("{\"id\": ", out);
	json_string(out, service->settings->id);
	string(out, "name", service->settings->name);
	string(out, "state", service_state_text(service_state(service)));
	string(out, "why", facts_why(service, why));
	boolean(out, "is_up", service_is_up(service));
	string(out, "file", service->settings->file);
	number(out, "line", (uint64_t)service->settings->line);
	number(out, "running", service->quota.running);
	number(out, "pending", service->quota.pending);
	number(out, "started", service->started);
	number(out, "received_bytes", service->received);
	number(out, "sent_bytes", service->sent);
	write_failures(out, service->failures);
	write_listeners(out, service);
	putc('}', out);
}

static void begin_services(struct status_walk *walk)
{
	key(walk->out, "services");
	putc('[', walk->out);
	walk->separator = "\n  ";
}

static void write_one_service(struct status_walk *walk, const struct service *service)
{
	fputs(walk->separator, walk->out);
	write_service(walk->out, service);
	walk->separator = ",\n  ";
}

static void end_list(struct status_walk *walk)
{
	putc(']', walk->out);
}

struct missing_written {
	FILE *out;
	const char *separator;
};

static void write_missing_one(const struct service_settings *service, void *context)
{
	struct missing_written *written = context;

	fputs(written->separator, written->out);
	json_string(written->out, service->id);
	written->separator = ", ";
}

static void write_missing(FILE *out)
{
	struct missing_written written = { .out = out, .separator = "" };

	key(out, "missing");
	putc('[', out);
	facts_missing(write_missing_one, &written);
	putc(']', out);
}

/* --- sessions ------------------------------------------------------------------------------- */

static void write_session(FILE *out, const struct session *session)
{
	struct session_facts facts = facts_of_session(session);
	char label[SESSION_LABEL_SIZE];

	fputs("{\"session\": ", out);
	json_string(out, session_label(session, label));
	string(out, "service", session->settings->id);
	string(out, "state", facts_session_state(session));
	address(out, "client", &session->peer);
	number(out, "client_port", address_port(&session->peer));
	if (address_is_known(&session->proxy))
		address(out, "through", &session->proxy);
	number(out, "pid", (uint64_t)launch_process(session));
	key(out, "started");
	fprintf(out, "%" PRId64, session->started);
	seconds(out, "age_seconds", facts.age_ms);
	if (facts.has_traffic) {
		seconds(out, "idle_seconds", facts.idle_ms);
		number(out, "received_bytes", facts.received);
		number(out, "sent_bytes", facts.sent);
	}
	putc('}', out);
}

static void begin_sessions(struct status_walk *walk)
{
	number(walk->out, "session_count", session_count());
	key(walk->out, "sessions");
	putc('[', walk->out);
	walk->separator = "\n  ";
}

static void write_sessions(struct status_walk *walk, const struct service *service)
{
	const struct session *session;

	LIST_FOREACH(session, &service->sessions, link) {
		if (walk->shown++ >= FACTS_SESSIONS_MAX)
			break;
		fputs(walk->separator, walk->out);
		write_session(walk->out, session);
		walk->separator = ",\n  ";
	}
}

static void write_sources(FILE *out)
{
	struct source_facts sources[FACTS_SOURCES_MAX];
	unsigned count = facts_top_sources(sources);
	char text[ADDRESS_TEXT_SIZE];

	key(out, "top_sources");
	putc('[', out);
	for (unsigned i = 0; i < count; i++) {
		fputs(i ? ", {\"source\": " : "{\"source\": ", out);
		json_string(out, prefix_text(&sources[i].source, text));
		number(out, "sessions", sources[i].sessions);
		putc('}', out);
	}
	putc(']', out);
}

/* --- bans ----------------------------------------------------------------------------------- */

struct bans_written {
	FILE *out;
	const char *separator;
	size_t count;
};

static void write_ban(const struct address *banned, uint64_t until, void *context)
{
	struct bans_written *written = context;
	char text[ADDRESS_TEXT_SIZE];

	if (written->count++ >= FACTS_BANS_MAX)
		return;
	fprintf(written->out, "%s{\"address\": ", written->separator);
	json_string(written->out, address_text(banned, text));
	if (until != SENSOR_FOREVER)
		seconds(written->out, "left_seconds", until - clock_now());
	putc('}', written->out);
	written->separator = ", ";
}

static void write_bans(FILE *out)
{
	struct bans_written written = { .out = out, .separator = "" };

	sensor_list_expire(sensors_list(), clock_now());
	number(out, "ban_count", sensor_list_count(sensors_list()));
	key(out, "bans");
	putc('[', out);
	sensor_list_each(sensors_list(), write_ban, &written);
	putc(']', out);
}

/* --- the whole ------------------------------------------------------------------------------ */

/* The lines of text as an array. */
static void write_lines(FILE *out, const char *name, const char *text)
{
	const char *separator = "";

	key(out, name);
	putc('[', out);
	while (*text) {
		size_t length = strcspn(text, "\n");
		char *line = strndup(text, length);

		fputs(separator, out);
		json_string(out, line ? line : "");
		free(line);
		text += length + (text[length] == '\n');
		separator = ", ";
	}
	putc(']', out);
}

static void write_load(FILE *out)
{
	const struct reload_message *load = last_load();

	key(out, "configuration");
	fprintf(out, "{\"time\": %" PRId64, load->time);
	boolean(out, "is_successful", last_load_is_fine());
	boolean(out, "is_in_force", load->is_loaded);
	number(out, "errors", load->errors);
	number(out, "not_started", load->left_out);
	number(out, "new", load->added);
	number(out, "old", load->kept);
	number(out, "changed", load->changed);
	number(out, "dropped", load->removed);
	number(out, "kept_for_errors", load->broken);
	write_lines(out, "lines", last_load_text());
	putc('}', out);
}

static void write_head(struct status_walk *walk)
{
	FILE *out = walk->out;

	fputs("{\"version\": ", out);
	json_string(out, USHERD_VERSION);
	number(out, "pid", (uint64_t)own_process());
	key(out, "time");
	fprintf(out, "%" PRId64, clock_wall());
	seconds(out, "uptime_seconds", facts_uptime());
	boolean(out, "is_up", facts_all_up());
	number(out, "processes", launch_processes());
	number(out, "log_lines_lost", sink_lost_lines());
	write_load(out);
}

static void write_rest(struct status_walk *walk)
{
	write_missing(walk->out);
	write_sources(walk->out);
	write_bans(walk->out);
	fputs("}\n", walk->out);
}

const struct status_part status_json_parts[] = {
	{ .once = write_head },
	{ .once = begin_services,
	  .each = write_one_service,
	  .is_for_draining = true,
	  .end = end_list },
	{ .once = begin_sessions,
	  .each = write_sessions,
	  .is_for_draining = true,
	  .end = end_list },
	{ .once = write_rest },
	{ 0 },
};
