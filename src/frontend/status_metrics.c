#include "admission/sensor_list.h"
#include "base/clock.h"
#include "base/sink.h"
#include "base/tcp_state.h"
#include "frontend/facts.h"
#include "frontend/last_load.h"
#include "frontend/sensors.h"
#include "frontend/status_parts.h"
#include "frontend/totals.h"
#include "handlers/launch.h"

#include <inttypes.h>

/* The lines of one service. */
typedef void write_sample(struct status_walk *walk, const char *name,
			  const struct service *service);

struct family {
	const char *name, *type, *help;
	write_sample *write;
};

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
			putc_unlocked((unsigned char)*value < 0x80 ? *value : '?', out);
}

static void label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	label_text(out, value);
	putc('"', out);
}

static void begin_sample(struct status_walk *walk, const char *name, const struct service *service)
{
	const struct service_settings *settings = service->settings;
	char place[16];

	fprintf(walk->out, "%s{", name);
	label(walk->out, "service", settings->id);
	if (!walk->is_ambiguous)
		return;
	snprintf(place, sizeof place, ":%d", settings->line);
	fputs(",entry=\"", walk->out);
	label_text(walk->out, settings->file);
	label_text(walk->out, place);
	putc('"', walk->out);
}

static void sample(struct status_walk *walk, const char *name, const struct service *service,
		   uint64_t value)
{
	begin_sample(walk, name, service);
	fprintf(walk->out, "} %" PRIu64 "\n", value);
}

/* --- services ------------------------------------------------------------------------------- */

static void write_accepted(struct status_walk *walk, const char *name,
			   const struct service *service)
{
	sample(walk, name, service, service->started);
}

static void write_refused(struct status_walk *walk, const char *name, const struct service *service)
{
	for (int verdict = 0; service->failures && verdict < VERDICT_COUNT; verdict++)
		if (service->failures->refused[verdict]) {
			begin_sample(walk, name, service);
			putc(',', walk->out);
			label(walk->out, "reason", verdict_name((enum verdict)verdict));
			fprintf(walk->out, "} %" PRIu64 "\n", service->failures->refused[verdict]);
		}
}

static void write_running(struct status_walk *walk, const char *name, const struct service *service)
{
	sample(walk, name, service, service->quota.running);
}

static void write_up(struct status_walk *walk, const char *name, const struct service *service)
{
	sample(walk, name, service, service_is_up(service));
}

static void write_received(struct status_walk *walk, const char *name,
			   const struct service *service)
{
	sample(walk, name, service, service->received);
}

static void write_sent(struct status_walk *walk, const char *name, const struct service *service)
{
	sample(walk, name, service, service->sent);
}

static void write_queue(struct status_walk *walk, const char *name, const struct service *service,
			const struct listener *listener, uint32_t value)
{
	struct address address = facts_bound_address(listener);
	char text[ADDRESS_TEXT_SIZE], place[ADDRESS_TEXT_SIZE + 16];

	snprintf(place, sizeof place, address.any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 address_text(&address, text), address_port(&address));
	begin_sample(walk, name, service);
	putc(',', walk->out);
	label(walk->out, "address", place);
	fprintf(walk->out, "} %u\n", (unsigned)value);
}

static void write_queue_length(struct status_walk *walk, const char *name,
			       const struct service *service)
{
	const struct listener *listener;
	struct tcp_queue queue;

	LIST_FOREACH(listener, &service->listeners, link)
		if (listener_is_open(listener) && tcp_queue_read(listener->watch.fd, &queue) == 0)
			write_queue(walk, name, service, listener, queue.length);
}

static void write_queue_limit(struct status_walk *walk, const char *name,
			      const struct service *service)
{
	const struct listener *listener;
	struct tcp_queue queue;

	LIST_FOREACH(listener, &service->listeners, link)
		if (listener_is_open(listener) && tcp_queue_read(listener->watch.fd, &queue) == 0)
			write_queue(walk, name, service, listener, queue.limit);
}

static void begin_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const struct family families[] = {
	{ "usherd_service_up", "gauge",
	  "Whether clients of the service are served, or wait for its limits.", write_up },
	{ "usherd_connections_accepted_total", "counter",
	  "Connections and datagrams that were served.", write_accepted },
	{ "usherd_connections_refused_total", "counter",
	  "Connections and datagrams that were refused.", write_refused },
	{ "usherd_sessions_running", "gauge", "Sessions that count for instances.", write_running },
	{ "usherd_receive_bytes_total", "counter",
	  "Bytes from clients of sessions that are over, where they are counted.", write_received },
	{ "usherd_transmit_bytes_total", "counter",
	  "Bytes to clients of sessions that are over, where they are counted.", write_sent },
	{ "usherd_accept_queue_length", "gauge",
	  "Connections that wait in the kernel to be accepted.", write_queue_length },
	{ "usherd_accept_queue_limit", "gauge", "How many connections may wait in the kernel.",
	  write_queue_limit },
};

static void begin_service_family(struct status_walk *walk)
{
	const struct family *family = walk->part->data;

	begin_family(walk->out, family->name, family->type, family->help);
}

static void write_service_family(struct status_walk *walk, const struct service *service)
{
	const struct family *family = walk->part->data;

	family->write(walk, family->name, service);
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

static void write_daemon(struct status_walk *walk)
{
	const struct reload_message *load = last_load();
	FILE *out = walk->out;

	sensor_list_expire(sensors_list(), clock_now());
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

static void write_histograms(struct status_walk *walk)
{
	write_histogram(walk->out, "usherd_session_duration_seconds", "How long sessions lasted.",
			totals_sessions());
	write_histogram(walk->out, "usherd_launch_duration_seconds",
			"How long programs took to start, from the request on.", totals_launches());
}

#define FAMILY(number) \
	{ \
		.once = begin_service_family, .each = write_service_family, \
		.data = &families[number] \
	}

const struct status_part status_metrics_parts[] = {
	{ .once = write_daemon },
	FAMILY(0),
	FAMILY(1),
	FAMILY(2),
	FAMILY(3),
	FAMILY(4),
	FAMILY(5),
	FAMILY(6),
	FAMILY(7),
	{ .once = write_histograms },
	{ 0 },
};

_Static_assert(sizeof families / sizeof families[0] == 8, "a family is not written");
