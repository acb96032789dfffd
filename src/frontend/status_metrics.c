#include "admission/sensor_list.h"
#include "base/clock.h"
#include "base/sink.h"
#include "base/tcp_state.h"
#include "frontend/adoption.h"
#include "frontend/facts.h"
#include "frontend/last_load.h"
#include "frontend/sensors.h"
#include "frontend/status.h"
#include "frontend/totals.h"
#include "handlers/launch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A service, in the order of ids. Several may have the same. */
struct entry {
	const struct service *service;
	bool is_ambiguous;
};

/* The lines of one service. */
typedef void write_sample(FILE *out, const char *name, const struct entry *entry);

/* --- labels --------------------------------------------------------------------------------- */

/* In a label's value only a backslash, a quote and a newline are escaped. */
static void label_text(FILE *out, const char *value)
{
	for (; *value; value++)
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			putc((unsigned char)*value < 0x80 ? *value : '?', out);
}

static void label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	label_text(out, value);
	putc('"', out);
}

static void begin_sample(FILE *out, const char *name, const struct entry *entry)
{
	const struct service_settings *settings = entry->service->settings;
	char place[16];

	fprintf(out, "%s{", name);
	label(out, "service", settings->id);
	if (!entry->is_ambiguous)
		return;
	snprintf(place, sizeof place, ":%d", settings->line);
	fputs(",entry=\"", out);
	label_text(out, settings->file);
	label_text(out, place);
	putc('"', out);
}

static void sample(FILE *out, const char *name, const struct entry *entry, uint64_t value)
{
	begin_sample(out, name, entry);
	fprintf(out, "} %" PRIu64 "\n", value);
}

/* --- services ------------------------------------------------------------------------------- */

static void write_accepted(FILE *out, const char *name, const struct entry *entry)
{
	sample(out, name, entry, entry->service->started);
}

static void write_refused(FILE *out, const char *name, const struct entry *entry)
{
	for (int verdict = 0; entry->service->failures && verdict < VERDICT_COUNT; verdict++)
		if (entry->service->failures->refused[verdict]) {
			begin_sample(out, name, entry);
			putc(',', out);
			label(out, "reason", verdict_name((enum verdict)verdict));
			fprintf(out, "} %" PRIu64 "\n", entry->service->failures->refused[verdict]);
		}
}

static void write_running(FILE *out, const char *name, const struct entry *entry)
{
	sample(out, name, entry, entry->service->quota.running);
}

static void write_up(FILE *out, const char *name, const struct entry *entry)
{
	sample(out, name, entry, service_is_up(entry->service));
}

static void write_received(FILE *out, const char *name, const struct entry *entry)
{
	sample(out, name, entry, entry->service->received);
}

static void write_sent(FILE *out, const char *name, const struct entry *entry)
{
	sample(out, name, entry, entry->service->sent);
}

static void write_queue(FILE *out, const char *name, const struct entry *entry,
			const struct listener *listener, uint32_t value)
{
	struct address address = facts_bound_address(listener);
	char text[ADDRESS_TEXT_SIZE], place[ADDRESS_TEXT_SIZE + 16];

	snprintf(place, sizeof place, address.any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 address_text(&address, text), address_port(&address));
	begin_sample(out, name, entry);
	putc(',', out);
	label(out, "address", place);
	fprintf(out, "} %u\n", (unsigned)value);
}

static void write_queue_length(FILE *out, const char *name, const struct entry *entry)
{
	const struct listener *listener;
	struct tcp_queue queue;

	LIST_FOREACH(listener, &entry->service->listeners, link)
		if (listener_is_open(listener) && tcp_queue_read(listener->watch.fd, &queue) == 0)
			write_queue(out, name, entry, listener, queue.length);
}

static void write_queue_limit(FILE *out, const char *name, const struct entry *entry)
{
	const struct listener *listener;
	struct tcp_queue queue;

	LIST_FOREACH(listener, &entry->service->listeners, link)
		if (listener_is_open(listener) && tcp_queue_read(listener->watch.fd, &queue) == 0)
			write_queue(out, name, entry, listener, queue.limit);
}

static void begin_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static int compare_entries(const void *one, const void *other)
{
	const struct service_settings *left = ((const struct entry *)one)->service->settings;
	const struct service_settings *right = ((const struct entry *)other)->service->settings;

	return strcmp(left->id, right->id);
}

/* The services that are configured, to be freed. NULL: out of memory, or there are none. */
static struct entry *list_entries(size_t *count)
{
	struct entry *list = calloc(adoption_service_count() + 1, sizeof *list);
	const struct service *service;

	*count = 0;
	TAILQ_FOREACH(service, &services, link)
		if (list && !service->is_draining)
			list[(*count)++].service = service;
	if (*count > 0)
		qsort(list, *count, sizeof *list, compare_entries);
	for (size_t i = 1; i < *count; i++)
		if (compare_entries(&list[i - 1], &list[i]) == 0)
			list[i - 1].is_ambiguous = list[i].is_ambiguous = true;
	return list;
}

static void write_services(FILE *out)
{
	static const struct {
		const char *name, *type, *help;
		write_sample *write;
	} families[] = {
		{ "usherd_service_up", "gauge",
		  "Whether clients of the service are served, or wait for its limits.", write_up },
		{ "usherd_connections_accepted_total", "counter",
		  "Connections and datagrams that were served.", write_accepted },
		{ "usherd_connections_refused_total", "counter",
		  "Connections and datagrams that were refused.", write_refused },
		{ "usherd_sessions_running", "gauge", "Sessions that count for instances.",
		  write_running },
		{ "usherd_receive_bytes_total", "counter",
		  "Bytes from clients of sessions that are over, where they are counted.",
		  write_received },
		{ "usherd_transmit_bytes_total", "counter",
		  "Bytes to clients of sessions that are over, where they are counted.",
		  write_sent },
		{ "usherd_accept_queue_length", "gauge",
		  "Connections that wait in the kernel to be accepted.", write_queue_length },
		{ "usherd_accept_queue_limit", "gauge",
		  "How many connections may wait in the kernel.", write_queue_limit },
	};
	size_t count;
	struct entry *list = list_entries(&count);

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		begin_family(out, families[i].name, families[i].type, families[i].help);
		for (size_t each = 0; each < count; each++)
			families[i].write(out, families[i].name, &list[each]);
	}
	free(list);
}

/* --- the daemon ----------------------------------------------------------------------------- */

static void single(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	begin_family(out, name, type, help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void write_histogram(FILE *out, const char *name, const char *help,
			    const struct histogram *histogram)
{
	uint64_t count = 0;

	begin_family(out, name, "histogram", help);
	for (unsigned range = 0; range < histogram->size; range++) {
		count += histogram->counts[range];
		fprintf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			histogram->bounds_ms[range] / 1000.0, count);
	}
	count = histogram_count(histogram);
	fprintf(out,
		"%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 ".%03u\n%s_count %" PRIu64
		"\n",
		name, count, name, histogram->sum_ms / 1000, (unsigned)(histogram->sum_ms % 1000),
		name, count);
}

static void write_daemon(FILE *out)
{
	const struct reload_message *load = last_load();

	begin_family(out, "usherd_build_info", "gauge", "The version of usherd.");
	fprintf(out, "usherd_build_info{version=\"%s\"} 1\n", USHERD_VERSION);
	single(out, "usherd_config_last_reload_successful", "gauge",
	       "Whether the configuration that was read last is in force and had no error.",
	       last_load_is_fine());
	single(out, "usherd_config_last_reload_timestamp_seconds", "gauge",
	       "When the configuration was read last.", (uint64_t)load->time);
	single(out, "usherd_services_not_started", "gauge",
	       "Services that are not started because of an error.",
	       load->left_out + facts_missing(NULL, NULL));
	single(out, "usherd_processes", "gauge", "Programs that run or are being started.",
	       launch_processes());
	single(out, "usherd_bans", "gauge", "Addresses that sensors have banned.",
	       sensor_list_count(sensors_list()));
	single(out, "usherd_log_lines_lost_total", "counter",
	       "Log lines that could not be written.", sink_lost_lines());
}

void status_write_metrics(FILE *out)
{
	sensor_list_expire(sensors_list(), clock_now());
	write_daemon(out);
	write_services(out);
	write_histogram(out, "usherd_session_duration_seconds", "How long sessions lasted.",
			totals_sessions());
	write_histogram(out, "usherd_launch_duration_seconds",
			"How long programs took to start, from the request on.", totals_launches());
}
