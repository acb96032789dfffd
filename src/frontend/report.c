#include "frontend/report.h"

#include "admission/sensor_list.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/own_name.h"
#include "base/path_guard.h"
#include "base/sink.h"
#include "frontend/adoption.h"
#include "frontend/facts.h"
#include "frontend/sensors.h"
#include "frontend/service.h"
#include "handlers/error_pipe.h"
#include "handlers/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static void print_time(FILE *out, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm local;
	char text[64];

	localtime_r(&time, &local);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &local);
	fputs(text, out);
}

static void print_listener(FILE *out, const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	struct address address = facts_bound_address(listener);
	char text[ADDRESS_TEXT_SIZE];

	fprintf(out, "\tsocket = %s %s port %u", settings->protocol, address_text(&address, text),
		address_port(&address));
	if (listener_is_open(listener))
		fprintf(out, ", fd %d", listener->watch.fd);
	else if (listener->error)
		fprintf(out, ", not bound: %s, %u attempts", strerror(listener->error),
			listener->attempts);
	putc('\n', out);
}

static void print_failures(FILE *out, const struct failures *failures)
{
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		if (failures->refused[verdict])
			fprintf(out, "\trefused (%s) = %" PRIu64 "\n",
				verdict_name((enum verdict)verdict), failures->refused[verdict]);
	if (failures->last_time) {
		fputs("\tlast failure = ", out);
		print_time(out, failures->last_time);
		fprintf(out, ", %s\n", failures->last);
	}
}

static void print_totals(FILE *out, const struct service *service)
{
	fprintf(out, "\trunning servers = %u\n\tstarted = %" PRIu64 "\n", service->quota.running,
		service->started);
	if (service->failures)
		print_failures(out, service->failures);
}

static void print_session(FILE *out, const struct session *session)
{
	char text[ADDRESS_TEXT_SIZE];

	fprintf(out, "\tserver: pid = %d, %s, from = %s", (int)launch_process(session),
		facts_session_state(session), address_text(&session->peer, text));
	if (address_is_known(&session->proxy))
		fprintf(out, ", through = %s", address_text(&session->proxy, text));
	fputs(", since ", out);
	print_time(out, session->started);
	putc('\n', out);
}

static bool sets_env(const char *line)
{
	return strncmp(line, "\tenv ", 5) == 0;
}

/* Prints only the names of env: the configuration may be readable by root alone, and a
 * value may be a password. */
static void print_env(FILE *out, const struct strings *env)
{
	fprintf(out, "\t%-15s =", "env");
	for (size_t i = 0; i < env->count; i++)
		fprintf(out, " %.*s", (int)strcspn(env->list[i], "="), env->list[i]);
	putc('\n', out);
}

static void print_configuration(FILE *out, const struct service_settings *settings)
{
	for (char **line = settings->lines; line && *line; line++)
		if (sets_env(*line))
			print_env(out, &settings->program->env);
		else
			fprintf(out, "%s\n", *line);
}

static void print_service(FILE *out, const struct service *service)
{
	const struct listener *listener;
	const struct session *session;

	fprintf(out, "Service = %s\n\tState = %s\n\tid = %s\n\tdefined at %s:%d\n",
		service->settings->name, service_state_text(service_state(service)),
		service->settings->id, service->settings->file, service->settings->line);
	LIST_FOREACH(listener, &service->listeners, link)
		print_listener(out, listener);
	print_totals(out, service);
	LIST_FOREACH(session, &service->sessions, link)
		print_session(out, session);
	fputs("\tconfiguration:\n", out);
	print_configuration(out, service->settings);
	putc('\n', out);
}

static void print_ban(const struct address *address, uint64_t until, void *context)
{
	char text[ADDRESS_TEXT_SIZE];

	fprintf(context, "\t%s", address_text(address, text));
	if (until == SENSOR_FOREVER)
		fputs(" for ever\n", context);
	else
		fprintf(context, " for %" PRIu64 " s\n", (until - clock_now()) / 1000);
}

static void print_report(FILE *out)
{
	const struct service *service;

	fprintf(out, "INTERNAL STATE DUMP: usherd %s\nCurrent time: ", USHERD_VERSION);
	print_time(out, clock_wall());
	fprintf(out,
		"\npid = %d\nservices = %zu\nsessions = %zu\nprocesses = %u\n"
		"descriptors of connections = %u of %u\n"
		"pipes of standard error = %u\nlog lines lost = %" PRIu64 "\n\n",
		(int)own_process(), adoption_service_count(), session_count(), launch_processes(),
		descriptors_shares()->held, descriptors_shares()->total, error_pipe_count(),
		sink_lost_lines());
	TAILQ_FOREACH(service, &services, link)
		print_service(out, service);
	fputs("Refused everywhere (sensors):\n", out);
	sensor_list_each(sensors_list(), print_ban, out);
	fputs("\nEND OF DUMP\n", out);
}

void report_write(int fd)
{
	FILE *out = fdopen(fd, "w");

	if (!out) {
		close(fd);
		return;
	}
	print_report(out);
	fclose(out);
}

static unsigned count_faults(const struct service *service)
{
	const struct session *session;
	const struct quota *quota = &service->quota;
	unsigned running = 0, pending = 0;

	LIST_FOREACH(session, &service->sessions, link) {
		running += session->is_counted;
		pending += session->state == SESSION_PENDING;
	}
	if (running == quota->running && pending == quota->pending)
		return 0;
	log_error(
		"consistency check: service %s counts %u running and %u pending, but has %u and %u",
		service->settings->id, quota->running, quota->pending, running, pending);
	return 1;
}

void report_check_consistency(void)
{
	const struct service *service;
	unsigned faults = 0;

	TAILQ_FOREACH(service, &services, link)
		faults += count_faults(service);
	if (faults)
		log_error("consistency check failed: %u services are inconsistent", faults);
	else
		log_info("Consistency check passed");
}

static struct timer check_timer;
static unsigned check_interval;

static void on_check(struct timer *timer)
{
	report_check_consistency();
	timer_start(timer, (uint64_t)check_interval * 1000);
}

void report_check_every(unsigned seconds)
{
	check_interval = seconds;
	timer_init(&check_timer, on_check);
	if (seconds)
		timer_start(&check_timer, (uint64_t)seconds * 1000);
}

static void announce(const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	struct address address = facts_bound_address(listener);
	char text[ADDRESS_TEXT_SIZE];

	log_state(LOG_NOTICE, settings->id, listener_is_open(listener) ? "up" : "waiting",
		  "%s: %s %s port %u%s", settings->id, settings->protocol,
		  address_text(&address, text), address_port(&address),
		  listener_is_open(listener) ? "" : " (not bound yet)");
}

void report_announce(void)
{
	const struct service *service;
	const struct listener *listener;

	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(listener, &service->listeners, link)
			announce(listener);
}
