#include "monitor/configuration.h"

#include "base/descriptors.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/region.h"
#include "monitor/cgroups.h"
#include "monitor/frontend_user.h"
#include "monitor/log_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct load_options *load_options;
static struct region *current_region, *next_region;
static struct settings *current, *next; /* without services */
static struct plan plan;                /* the last one made; only its counts stay */
static uint32_t last_number;

void configuration_init(const struct load_options *options)
{
	load_options = options;
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

static void problems_log(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		problem_log(&problems->list[i]);
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
	problems_log(&problems);
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
	log_notice("service %s deactivated", service->id);
}

static void on_broken(const struct service_settings *service)
{
	log_warning("service %s: keeping the running version until the configuration is right",
		    service->id);
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

/* False, reported, when the kernel can't keep the limits of the service. */
static bool has_its_limits(const struct service_settings *service)
{
	const char *reason, *attribute = cgroups_prepare(service, &reason);

	if (attribute)
		log_error("%s:%d: service %s: %s can't be kept here: %s", service->file,
			  service->line, service->id, attribute, reason);
	return !attribute;
}

static void find_limits(void)
{
	uint32_t i = 0;

	while (i < plan.count) {
		uint32_t count = plan.count;

		if (service_is_tracked(plan.services[i]) && !has_its_limits(plan.services[i]))
			plan_give_up(&plan, configuration_current(), i);
		i += plan.count == count; /* otherwise the next one is in its place */
	}
}

static bool make_next(struct settings *settings)
{
	if (plan_make(&plan, configuration_current(), settings, &plan_events) == 0) {
		find_limits();
		log_files_open(&plan, configuration_current());
		next_region = fill_region();
	}
	plan_free(&plan);
	if (!next_region)
		return false;
	last_number++;
	region_keep(next_region);
	release_services(settings);
	next = settings;
	return true;
}

bool configuration_read(void)
{
	struct settings *settings = next_region ? NULL : read_files();
	bool fine = settings && make_next(settings);

	if (settings && !fine) {
		log_failure(errno, "the configuration can't be kept in memory");
		settings_free(settings);
	}
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
}

void configuration_sum_up(void)
{
	char kept[64] = "";

	if (plan.broken)
		snprintf(kept, sizeof kept, ", %u keep their running version", plan.broken);
	log_notice("Reconfigured: new=%u old=%u dropped=%u (services)%s", plan.added, plan.kept,
		   plan.removed, kept);
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
