#include "monitor/log_files.h"

#include "base/kept_files.h"
#include "base/log.h"
#include "base/log_file.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

static struct kept_file *files; /* that wait to be sent */

/* The path of the service's log; NULL: it has no file of its own. */
static const char *path_of(const struct service_settings *service)
{
	return service->log.kind == LOG_KIND_FILE ? service->log.path : NULL;
}

/* False, log_file_error says why. */
static bool open_log(const struct service_settings *service)
{
	const char *path = path_of(service);
	int fd;

	if (kept_files_have(files, path))
		return true;
	fd = log_file_open(path);
	if (fd >= 0 && kept_files_add(&files, path, fd))
		return true;
	if (fd >= 0) {
		close(fd);
		log_file_say("out of memory");
	}
	return false;
}

/* True when the service has that log already. */
static bool has_log(const struct plan *plan, const struct generation *running, uint32_t i)
{
	uint32_t number = plan->continues[i];
	const char *path = number == SERVICE_IS_NEW ? NULL : path_of(running->services[number]);

	return path && strcmp(path, path_of(plan->services[i])) == 0;
}

static void say_not_reopened(const struct service_settings *service)
{
	log_error("log file %s: cannot be reopened: %s", path_of(service), log_file_error());
}

static void give_up_or_keep(struct plan *plan, const struct generation *running, uint32_t i)
{
	const struct service_settings *service = plan->services[i];

	if (has_log(plan, running, i)) {
		say_not_reopened(service);
		return;
	}
	log_state(LOG_ERR, service->id, "left_out", "service %s: log file %s: %s", service->id,
		  path_of(service), log_file_error());
	plan_give_up(plan, running, i);
}

void log_files_open(struct plan *plan, const struct generation *running)
{
	uint32_t i = 0;

	while (i < plan->count) {
		const struct service_settings *service = plan->services[i];
		uint32_t count = plan->count;

		if (path_of(service) && !open_log(service))
			give_up_or_keep(plan, running, i);
		i += plan->count == count; /* otherwise the next one is in its place */
	}
}

void log_files_open_again(const struct generation *generation)
{
	for (uint32_t i = 0; i < generation->count; i++)
		if (path_of(generation->services[i]) && !open_log(generation->services[i]))
			say_not_reopened(generation->services[i]);
}

void log_files_send(const struct generation *generation,
		    void (*send)(uint32_t service, int descriptor))
{
	for (uint32_t i = 0; i < generation->count; i++) {
		const char *path = path_of(generation->services[i]);
		int fd = path ? kept_files_take(&files, path) : -1;

		if (fd < 0)
			continue;
		send(i, fd);
		close(fd);
	}
	kept_files_close(&files);
}
