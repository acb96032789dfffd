#include "monitor/configuration.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/region.h"
#include "monitor/cgroups.h"
#include "monitor/config_watch.h"
#include "monitor/frontend_user.h"
#include "monitor/jail.h"
#include "monitor/log_files.h"
#include "monitor/privileges.h"
#include "monitor/terminal.h"
#include "monitor/outcome.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static const struct load_options *load_options;
static struct region *current_region, *next_region;
static struct settings *current, *next; /* without services */
static struct plan plan;                /* the last one made; only its counts stay */
static uint32_t last_number;

static struct log_style style;
static enum log_format own_format; /* the command line's */
static void (*greet)(void);        /* NULL: it was called */

void configuration_init(const struct load_options *options, enum log_format format,
			void (*greeting)(void))
{
	load_options = options;
	greet = greeting;
	own_format = format;
	style.format = (uint8_t)format;
	style.lengths = (struct source_prefix){ .in4 = 32, .in6 = 128 };
}

struct log_style configuration_log_style(void)
{
	return style;
}

/* The command line's format holds unless the configuration sets one. */
static void use_style(const struct daemon_settings *daemon)
{
	style.format = (uint8_t)(daemon->log_format >= 0 ? daemon->log_format : (int)own_format);
	style.lengths = daemon->log_anonymize;
	log_set_style(style);
}

static const struct generation *generation_in(const struct region *region)
{
	return region ? (const void *)region->base : NULL;
}

const struct generation *configuration_current(void)
{
	return generation_in(current_region);
}

const struct generation *configuration_next(void)
{
	return generation_in(next_region);
}

const struct daemon_settings *configuration_daemon(void)
{
	return current ? &current->daemon : &next->daemon;
}

void configuration_watch(void (*changed)(void))
{
	config_watch_update(current, changed);
}

bool configuration_is_empty(void)
{
	return configuration_current()->count == 0 && STAILQ_EMPTY(&current->left_out) &&
	       !current->lost_entries;
}

static struct service_settings *find(const struct generation *generation, uint32_t number,
				     uint32_t service)
{
	if (!generation || generation->number != number || service >= generation->count)
		return NULL;
	return generation->services[service];
}

struct service_settings *configuration_find(uint32_t generation, uint32_t service)
{
	struct service_settings *settings = find(configuration_current(), generation, service);

	return settings ? settings : find(configuration_next(), generation, service);
}

/* --- reading ----------------------------------------------------------------------------- */

static void problem_log(const struct problem *problem)
{
	static const int levels[] = { [ADVICE] = 7, [WARNING] = 4, [ERROR] = 3 };
	int level = levels[problem->severity];

	if (problem->file && problem->line)
		log_message(level, "%s:%d: %s", problem->file, problem->line, problem->text);
	else if (problem->file)
		log_message(level, "%s: %s", problem->file, problem->text);
	else
		log_message(level, "%s", problem->text);
}

static void report(const struct problem *problem)
{
	problem_log(problem);
	outcome_add_problem(problem);
}

static void problems_report(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		report(&problems->list[i]);
	if (problems->omitted)
		log_error("%zu more problems are not shown", problems->omitted);
}

static struct settings *read_files(void)
{
	struct load_options options = *load_options;
	struct problems problems = { 0 };
	struct process_user user;
	struct settings *settings;

	frontend_user_choose(&user);
	options.frontend = user.uid;
	descriptors_open_reserve();
	settings = settings_load(&options, &problems);
	descriptors_close_reserve();
	if (settings)
		use_style(&settings->daemon);
	if (greet)
		greet();
	greet = NULL;
	problems_report(&problems);
	problems_clear(&problems);
	return settings;
}

/* The generation has the services now. */
static void release_services(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		service_settings_release(settings->services[i]);
	settings->count = 0;
}

/* --- the next generation -------------------------------------------------------------------- */

static void on_removed(const struct service_settings *service)
{
	log_state(LOG_NOTICE, service->id, "removed", "service %s deactivated", service->id);
	outcome_add_change("removed", service->id);
}

static void on_broken(const struct service_settings *service)
{
	log_state(LOG_WARNING, service->id, "old_version",
		  "service %s: keeping the running version until the configuration is right",
		  service->id);
	outcome_add_change("keeps its running version", service->id);
}

static const struct plan_events plan_events = { .removed = on_removed, .broken = on_broken };

/* Fills a region with the planned generation. NULL with errno. */
static struct region *fill_region(void)
{
	struct region *region = region_new();

	if (region &&
	    generation_fill(region, last_number + 1, plan.services, plan.continues, plan.count) &&
	    region_seal(region) == 0)
		return region;
	region_free(region);
	return NULL;
}

enum { OBSTACLE_TEXT_SIZE = 1024 };

/* Reports what can't be had here for the service. False. */
static bool refuse(const struct service_settings *service, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(const struct service_settings *service, const char *format, ...)
{
	struct problems problems = { 0 };
	char text[OBSTACLE_TEXT_SIZE];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	problem_add(&problems, ERROR, service->file, service->line, "service %s: %s", service->id,
		    text);
	log_state(LOG_ERR, service->id, "left_out", "%s:%d: service %s: %s", service->file,
		  service->line, service->id, text);
	if (problems.count > 0)
		outcome_add_problem(&problems.list[0]);
	problems_clear(&problems);
	return false;
}

/* False, reported, when the kernel can't keep the limits of the service. */
static bool has_its_limits(const struct service_settings *service)
{
	const char *reason, *attribute = cgroups_prepare(service, &reason);

	return !attribute ||
	       refuse(service,
		      "%s can't be kept here: %s; to start it without this limit, write "
		      "%s = UNLIMITED",
		      attribute, reason, attribute);
}

/* The same for what its sessions must not do. */
static bool has_its_privileges(struct service_settings *service)
{
	const char *reason, *attribute = privileges_prepare(service, &reason);

	return !attribute || refuse(service, "%s can't be kept here: %s", attribute, reason);
}

/* The same for its terminals. */
static bool has_its_terminals(const struct service_settings *service)
{
	const char *obstacle = service->pty ? terminal_obstacle() : NULL;

	return !obstacle || refuse(service, "pty can't be kept here: %s", obstacle);
}

/* The same for its jail. */
static bool has_its_jail(const struct service_settings *service)
{
	const char *reason, *attribute = jail_prepare(service, &reason);

	return !attribute || refuse(service, "%s can't be had here: %s", attribute, reason);
}

static bool can_be_kept(struct service_settings *service)
{
	return (!service_is_tracked(service) || has_its_limits(service)) &&
	       has_its_privileges(service) && has_its_terminals(service) &&
	       (!service->program->jail || has_its_jail(service));
}

static void find_limits(const struct daemon_settings *daemon)
{
	uint32_t i = 0;

	jails_begin(daemon);
	while (i < plan.count) {
		uint32_t count = plan.count;

		if (!can_be_kept(plan.services[i]))
			plan_give_up(&plan, configuration_current(), i);
		i += plan.count == count; /* otherwise the next one is in its place */
	}
	for (i = 0; i < plan.count; i++)
		jail_keep(plan.services[i]);
}

/* A running service that has lost its settings goes on. */
static uint32_t count_left_out(const struct settings *settings)
{
	const struct left_out *entry;
	uint32_t count = 0;

	STAILQ_FOREACH(entry, &settings->left_out, link)
		count += entry->is_broken;
	return count == 0 && settings->lost_entries ? 1 : count;
}

static void note_changes(void)
{
	const struct generation *from = configuration_current(), *to = configuration_next();

	for (uint32_t i = 0; from && i < to->count; i++) {
		const struct service_settings *service = to->services[i];
		uint32_t before = to->continues[i];

		if (before == SERVICE_IS_NEW) {
			outcome_add_change("new", service->id);
		} else if (!generation_equal(from->services[before], service)) {
			outcome_add_change("changed", service->id);
			outcome_numbers()->changed++;
		}
	}
}

static void note_outcome(void)
{
	struct reload_message *numbers = outcome_numbers();

	numbers->is_loaded = true;
	numbers->added = plan.added;
	numbers->kept = plan.kept;
	numbers->removed = plan.removed;
	numbers->broken = plan.broken;
	note_changes();
}

/* Removes from the plan what this kernel can't serve as it is configured. */
static void fit_plan(const struct settings *settings)
{
	uint32_t left_out = count_left_out(settings), count = plan.count;

	left_out -= left_out < plan.broken ? left_out : plan.broken;
	find_limits(&settings->daemon);
	outcome_numbers()->left_out = left_out + count - plan.count;
}

static bool make_next(struct settings *settings)
{
	if (plan_make(&plan, configuration_current(), settings, &plan_events) == 0) {
		fit_plan(settings);
		log_files_open(&plan, configuration_current());
		next_region = fill_region();
	}
	plan_free(&plan);
	privileges_forget();
	if (!next_region)
		return false;
	last_number++;
	region_keep(next_region);
	note_outcome();
	release_services(settings);
	next = settings;
	return true;
}

/* False, reported, when it can't be kept. */
static bool take(struct settings *settings)
{
	struct problems problems = { 0 };

	if (make_next(settings))
		return true;
	problem_add(&problems, ERROR, NULL, 0, "the configuration can't be kept in memory: %s%s",
		    strerror(errno),
		    errno == EFBIG ? "; the limit of file sizes (ulimit -f) must be higher" : "");
	problems_report(&problems);
	problems_clear(&problems);
	settings_free(settings);
	return false;
}

bool configuration_read(void)
{
	struct settings *settings;
	bool fine;

	if (next_region)
		return false;
	outcome_begin();
	config_watch_reading();
	settings = read_files();
	fine = settings && take(settings);
	file_names_forget();
	memory_give_back(); /* reading takes much more than the result */
	return fine;
}

void configuration_adopted(void)
{
	if (!next_region)
		return;
	settings_free(current);
	current = next;
	next = NULL;
	if (current_region) {
		region_retire(current_region);
		region_release(current_region);
	}
	current_region = next_region;
	next_region = NULL;
	jails_adopted();
}

void configuration_sum_up(void)
{
	struct log_facts facts = { .event = LOG_EVENT_RELOAD };
	char kept[64] = "";

	if (plan.broken)
		snprintf(kept, sizeof kept, ", %u keep their running version", plan.broken);
	log_facts_number(&facts, "usherd.services.new", plan.added);
	log_facts_number(&facts, "usherd.services.old", plan.kept);
	log_facts_number(&facts, "usherd.services.dropped", plan.removed);
	log_facts_number(&facts, "usherd.services.old_version", plan.broken);
	log_event(LOG_NOTICE, &facts, "Reconfigured: new=%u old=%u dropped=%u (services)%s",
		  plan.added, plan.kept, plan.removed, kept);
}

uint32_t *configuration_numbers(void)
{
	const struct generation *from = configuration_current(), *to = configuration_next();
	uint32_t *numbers = malloc((from->count + 1) * sizeof *numbers);

	if (!numbers)
		return NULL;
	for (uint32_t i = 0; i < from->count; i++)
		numbers[i] = SERVICE_IS_NEW;
	for (uint32_t i = 0; i < to->count; i++)
		if (to->continues[i] != SERVICE_IS_NEW)
			numbers[to->continues[i]] = i;
	return numbers;
}
