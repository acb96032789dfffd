#include "server/status.h"

#include "admission/sensor_list.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/path_guard.h"
#include "base/sink.h"
#include "handlers/error_pipe.h"
#include "handlers/launch.h"
#include "server/judge.h"
#include "server/reload.h"
#include "server/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STATUS_FILE "/var/run/xinetd.dump" /* where xinetd's users look for it */

static void print_time(FILE *out, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm local;
	char text[64];

	localtime_r(&time, &local);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &local);
	fputs(text, out);
}

/* Where it listens: with port 0 in the settings, on a port the kernel chose. */
static struct address bound_address(const struct listener *listener)
{
	struct address address;

	if (listener_is_open(listener) && address_of_socket(listener->watch.fd, &address) == 0)
		return address;
	return listener->endpoint.address;
}

static void print_listener(FILE *out, const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	struct address address = bound_address(listener);
	char text[ADDRESS_TEXT_SIZE];

	fprintf(out, "\tsocket = %s %s port %u", settings->protocol,
		address_text(&address, text), address_port(&address));
	if (listener_is_open(listener))
		fprintf(out, ", fd %d", listener->watch.fd);
	else if (listener->error)
		fprintf(out, ", not bound: %s, %u attempts", strerror(listener->error),
			listener->attempts);
	putc('\n', out);
}

static void print_totals(FILE *out, const struct service *service)
{
	fprintf(out, "\trunning servers = %u\n\tstarted = %" PRIu64 "\n", service->running,
		service->started);
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		if (service->refused[verdict])
			fprintf(out, "\trefused (%s) = %" PRIu64 "\n",
				verdict_name((enum verdict)verdict), service->refused[verdict]);
	if (service->last_failure_time) {
		fputs("\tlast failure = ", out);
		print_time(out, service->last_failure_time);
		fprintf(out, ", %s\n", service->last_failure);
	}
}

static const char *session_state_text(enum session_state state)
{
	static const char *const texts[] = {
		[SESSION_ARRIVING] = "arriving", [SESSION_STARTING] = "starting",
		[SESSION_SERVING] = "serving",   [SESSION_ENDING] = "ending",
	};

	return texts[state];
}

static void print_session(FILE *out, const struct session *session)
{
	char text[ADDRESS_TEXT_SIZE];

	fprintf(out, "\tserver: pid = %d, %s, from = %s, since ", (int)launch_process(session),
		session_state_text(session->state), address_text(&session->peer, text));
	print_time(out, session->started);
	putc('\n', out);
}

static bool sets_env(const char *line)
{
	return strncmp(line, "\tenv ", 5) == 0;
}

/* The effective attributes, but of env the names alone: what a file that only
 * root may read gives a program can be a password. */
static void print_configuration(FILE *out, const struct service_settings *settings)
{
	const char *line = settings->canonical, *end;

	for (; *line; line = end) {
		end = strchrnul(line, '\n');
		end += *end == '\n';
		if (!sets_env(line)) {
			fwrite(line, 1, (size_t)(end - line), out);
			continue;
		}
		fprintf(out, "\t%-15s =", "env");
		for (size_t i = 0; i < settings->env.count; i++)
			fprintf(out, " %.*s", (int)strcspn(settings->env.list[i], "="),
				settings->env.list[i]);
		putc('\n', out);
	}
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
		fprintf(context, " for %" PRIu64 " s\n", (until - loop_now()) / 1000);
}

static void print_report(FILE *out)
{
	const struct service *service;

	fprintf(out, "INTERNAL STATE DUMP: usherd %s\nCurrent time: ", USHERD_VERSION);
	print_time(out, loop_wall_clock());
	fprintf(out, "\npid = %d\nservices = %zu\nsessions = %zu\nprocesses = %u\n"
		"descriptors of connections = %u of %u\n"
		"pipes of standard error = %u\nlog lines lost = %" PRIu64 "\n\n",
		(int)getpid(), configuration_service_count(), session_count(),
		launch_processes(), descriptors_shares()->held, descriptors_shares()->total,
		error_pipe_count(), sink_lost_lines());
	TAILQ_FOREACH(service, &services, link)
		print_service(out, service);
	fputs("Refused everywhere (sensors):\n", out);
	sensor_list_each(judge_sensor_list(), print_ban, out);
	fputs("\nEND OF DUMP\n", out);
}

/* A new file, made in the directory. */
static FILE *open_report(int directory, const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, fd;
	FILE *out;

	if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
		return NULL;
	fd = openat(directory, name, flags, 0600);
	if (fd < 0)
		return NULL;
	if (fchmod(fd, configuration_daemon()->status_mode) == 0 && (out = fdopen(fd, "w")))
		return out;
	close(fd);
	unlinkat(directory, name, 0);
	return NULL;
}

/* A new file beside the old one, then in its place: readers see a whole report,
 * and a link laid in its way is replaced, not followed. */
static int write_report_in(int directory, const char *name)
{
	char temporary[NAME_MAX + 1];
	FILE *out;

	if (snprintf(temporary, sizeof temporary, "%s.%d", name, (int)getpid()) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	out = open_report(directory, temporary);
	if (!out)
		return -1;
	print_report(out);
	if (fclose(out) == 0 && renameat(directory, temporary, directory, name) == 0)
		return 0;
	unlinkat(directory, temporary, 0);
	return -1;
}

static int write_report(const char *path)
{
	const char *name;
	int directory = path_guard_open_place(path, &name), result, error;

	if (directory < 0)
		return -1;
	result = write_report_in(directory, name);
	error = errno;
	close(directory);
	errno = error;
	return result;
}

void status_write(void)
{
	const char *path = configuration_daemon()->status_file;
	int result, error;

	if (!path)
		path = STATUS_FILE;
	descriptors_open_reserve();
	result = write_report(path);
	error = errno;
	descriptors_close_reserve();
	if (result < 0)
		log_failure(error, "can't write the state dump to %s", path);
	else
		log_info("generated state dump in file %s", path);
}

static unsigned count_faults(const struct service *service)
{
	const struct session *session;
	unsigned running = 0, arriving = 0;

	LIST_FOREACH(session, &service->sessions, link)
		if (session->is_counted)
			running++;
		else
			arriving++;
	if (running == service->running && arriving == service->arriving)
		return 0;
	log_error("consistency check: service %s counts %u running and %u arriving, but has %u and %u",
		  service->settings->id, service->running, service->arriving, running, arriving);
	return 1;
}

void status_check_consistency(void)
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
	status_check_consistency();
	timer_start(timer, (uint64_t)check_interval * 1000);
}

void status_check_every(unsigned seconds)
{
	check_interval = seconds;
	timer_init(&check_timer, on_check);
	if (seconds)
		timer_start(&check_timer, (uint64_t)seconds * 1000);
}

static void announce(const struct listener *listener)
{
	const struct service_settings *settings = listener->service->settings;
	struct address address = bound_address(listener);
	char text[ADDRESS_TEXT_SIZE];

	log_notice("%s: %s %s port %u%s", settings->id, settings->protocol,
		   address_text(&address, text), address_port(&address),
		   listener_is_open(listener) ? "" : " (not bound yet)");
}

void status_announce(void)
{
	const struct service *service;
	const struct listener *listener;

	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(listener, &service->listeners, link)
			announce(listener);
}
