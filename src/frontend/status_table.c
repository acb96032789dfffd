#include "admission/sensor_list.h"
#include "base/clock.h"
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
#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { CELL_SIZE = 128, BANS_SHOWN = 20 };

static void print_time(FILE *out, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm local;
	char text[64];

	localtime_r(&time, &local);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
	fputs(text, out);
}

/* "17s", "4m10s", "3h05m", "12d04h" */
static const char *duration_text(uint64_t ms, char text[static CELL_SIZE])
{
	uint64_t seconds = ms / 1000;

	if (seconds < 60)
		snprintf(text, CELL_SIZE, "%" PRIu64 "s", seconds);
	else if (seconds < 3600)
		snprintf(text, CELL_SIZE, "%" PRIu64 "m%02us", seconds / 60,
			 (unsigned)(seconds % 60));
	else if (seconds < 86400)
		snprintf(text, CELL_SIZE, "%" PRIu64 "h%02um", seconds / 3600,
			 (unsigned)(seconds / 60 % 60));
	else
		snprintf(text, CELL_SIZE, "%" PRIu64 "d%02uh", seconds / 86400,
			 (unsigned)(seconds / 3600 % 24));
	return text;
}

/* --- services ------------------------------------------------------------------------------- */

static uint64_t count_refused(const struct service *service)
{
	uint64_t count = 0;

	for (int verdict = 0; service->failures && verdict < VERDICT_COUNT; verdict++)
		count += service->failures->refused[verdict];
	return count;
}

static void print_service(FILE *out, const struct service *service)
{
	fprintf(out, "%-24s %-10s %8u %10" PRIu64 " %10" PRIu64 "\n", service->settings->id,
		service_state_text(service_state(service)), service->quota.running,
		service->started, count_refused(service));
}

static void print_why(FILE *out, const struct service *service)
{
	char why[FACTS_WHY_SIZE];

	if (*facts_why(service, why))
		fprintf(out, "    %s\n", why);
}

static void print_listener(FILE *out, const struct listener *listener)
{
	struct address address = facts_bound_address(listener);
	char text[ADDRESS_TEXT_SIZE];
	struct tcp_queue queue;

	fprintf(out, "    %s %s port %u", listener->settings->protocol,
		address_text(&address, text), address_port(&address));
	if (!listener_is_open(listener))
		fputs(", not bound", out);
	else if (tcp_queue_read(listener->watch.fd, &queue) == 0)
		fprintf(out, ", accept queue %u of %u", (unsigned)queue.length,
			(unsigned)queue.limit);
	putc('\n', out);
}

static void print_failures(FILE *out, const struct failures *failures)
{
	const char *separator = "    refused: ";

	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		if (failures->refused[verdict]) {
			fprintf(out, "%s%s %" PRIu64, separator,
				verdict_name((enum verdict)verdict), failures->refused[verdict]);
			separator = ", ";
		}
	if (*separator == ',')
		putc('\n', out);
	if (!failures->last_time)
		return;
	fputs("    last failure: ", out);
	print_time(out, failures->last_time);
	fprintf(out, ", %s\n", failures->last);
}

static void begin_services(struct status_walk *walk)
{
	fprintf(walk->out, "\n%-24s %-10s %8s %10s %10s\n", "SERVICE", "STATE", "RUNNING",
		"STARTED", "REFUSED");
}

static void write_service(struct status_walk *walk, const struct service *service)
{
	const struct listener *listener;

	print_service(walk->out, service);
	print_why(walk->out, service);
	LIST_FOREACH(listener, &service->listeners, link)
		print_listener(walk->out, listener);
	if (service->failures)
		print_failures(walk->out, service->failures);
}

static void print_missing(const struct service_settings *service, void *context)
{
	fprintf(context, "%-24s not started, see the log\n", service->id);
}

static void write_missing(struct status_walk *walk)
{
	facts_missing(print_missing, walk->out);
}

/* --- sessions ------------------------------------------------------------------------------- */

static void print_session(FILE *out, const struct session *session)
{
	struct session_facts facts = facts_of_session(session);
	char label[SESSION_LABEL_SIZE], peer[ADDRESS_TEXT_SIZE], age[CELL_SIZE];
	char idle[CELL_SIZE] = "-", in[CELL_SIZE] = "-", sent[CELL_SIZE] = "-";

	duration_text(facts.age_ms, age);
	if (facts.has_traffic) {
		duration_text(facts.idle_ms, idle);
		snprintf(in, sizeof in, "%" PRIu64, facts.received);
		snprintf(sent, sizeof sent, "%" PRIu64, facts.sent);
	}
	fprintf(out, "%-20s %-16s %-9s %-22s %8d %7s %7s %10s %10s\n",
		session_label(session, label), session->settings->id, facts_session_state(session),
		address_text(&session->peer, peer), (int)launch_process(session), age, idle, in,
		sent);
}

static void begin_sessions(struct status_walk *walk)
{
	if (session_count() > 0)
		fprintf(walk->out, "\n%-20s %-16s %-9s %-22s %8s %7s %7s %10s %10s\n", "SESSION",
			"SERVICE", "STATE", "CLIENT", "PID", "AGE", "IDLE", "RECEIVED", "SENT");
}

static void write_sessions(struct status_walk *walk, const struct service *service)
{
	const struct session *session;

	LIST_FOREACH(session, &service->sessions, link)
		if (walk->shown++ < FACTS_SESSIONS_MAX)
			print_session(walk->out, session);
}

static void end_sessions(struct status_walk *walk)
{
	if (walk->shown > FACTS_SESSIONS_MAX)
		fprintf(walk->out, "and %zu more\n", walk->shown - FACTS_SESSIONS_MAX);
}

static void print_sources(FILE *out)
{
	struct source_facts sources[FACTS_SOURCES_MAX];
	unsigned count = facts_top_sources(sources);
	char text[ADDRESS_TEXT_SIZE];

	if (count > 0)
		fprintf(out, "\n%-44s %8s\n", "SOURCE", "SESSIONS");
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%-44s %8u\n", prefix_text(&sources[i].source, text),
			sources[i].sessions);
}

/* --- bans ----------------------------------------------------------------------------------- */

struct bans_shown {
	FILE *out;
	size_t count;
};

static void print_ban(const struct address *address, uint64_t until, void *context)
{
	struct bans_shown *shown = context;
	char text[ADDRESS_TEXT_SIZE], left[CELL_SIZE] = "for ever";

	if (shown->count++ >= BANS_SHOWN)
		return;
	if (until != SENSOR_FOREVER)
		duration_text(until - clock_now(), left);
	fprintf(shown->out, "%-44s %8s\n", address_text(address, text), left);
}

static void print_bans(FILE *out)
{
	struct bans_shown shown = { .out = out };

	sensor_list_expire(sensors_list(), clock_now());
	if (sensor_list_count(sensors_list()) == 0)
		return;
	fprintf(out, "\n%-44s %8s\n", "BANNED", "LEFT");
	sensor_list_each(sensors_list(), print_ban, &shown);
	if (shown.count > BANS_SHOWN)
		fprintf(out, "and %zu more\n", shown.count - BANS_SHOWN);
}

/* --- the whole ------------------------------------------------------------------------------ */

static void print_load(FILE *out)
{
	const struct reload_message *load = last_load();

	if (load->time == 0)
		return;
	fputs("configuration: read ", out);
	print_time(out, load->time);
	fprintf(out, ", %s: new=%u old=%u dropped=%u errors=%u\n",
		last_load_is_fine() ? "in force"
		: load->is_loaded   ? "in force, but with errors"
				    : "refused as a whole",
		load->added, load->kept, load->removed, load->errors);
	if (load->left_out > 0)
		fprintf(out, "not started because of errors: %u services\n", load->left_out);
	if (!last_load_is_fine())
		fputs(last_load_text(), out);
}

static void write_head(struct status_walk *walk)
{
	FILE *out = walk->out;

	fprintf(out, "usherd %s, process %d: %s\n", USHERD_VERSION, (int)own_process(),
		facts_all_up() ? "every service is up" : "not every service is up");
	fprintf(out, "%zu services, %zu sessions, %u processes, %" PRIu64 " log lines lost\n",
		adoption_service_count(), session_count(), launch_processes(), sink_lost_lines());
	print_load(out);
}

static void write_sources_and_bans(struct status_walk *walk)
{
	print_sources(walk->out);
	print_bans(walk->out);
}

const struct status_part status_table_parts[] = {
	{ .once = write_head },
	{ .once = begin_services,
	  .each = write_service,
	  .is_for_draining = true,
	  .end = write_missing },
	{ .once = begin_sessions,
	  .each = write_sessions,
	  .is_for_draining = true,
	  .end = end_sessions },
	{ .once = write_sources_and_bans },
	{ 0 },
};
