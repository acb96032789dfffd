#include "server/reload.h"

#include "admission/host_names.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/sink.h"
#include "server/handover.h"
#include "server/judge.h"
#include "server/service.h"
#include "server/shutdown.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hh.tbl = NULL)
#include <uthash.h>

static const struct load_options *load_options;
static bool stays_alive_empty;
static int exit_status;
static struct settings *current;

const struct daemon_settings *configuration_daemon(void)
{
	return &current->daemon;
}

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

/* Gives back to the kernel what reading took: many times what it leaves behind.
 * Other C libraries than glibc have no such call. */
static void return_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static struct settings *load(void)
{
	struct problems problems = { 0 };
	struct settings *settings = settings_load(load_options, &problems);

	problems_log(&problems);
	problems_clear(&problems);
	return_memory();
	return settings;
}

/* The settings' services are held by the services that run. */
static void release_services(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		service_settings_release(settings->services[i]);
	settings->count = 0;
}

size_t configuration_service_count(void)
{
	const struct service *service;
	size_t count = 0;

	TAILQ_FOREACH(service, &services, link)
		count += !service->is_draining;
	return count;
}

bool configuration_is_empty(void)
{
	return configuration_service_count() == 0 && STAILQ_EMPTY(&current->left_out) &&
	       !current->lost_entries;
}

int configuration_exit_status(void)
{
	return exit_status;
}

/* Some of what is configured is not served; a higher limit is the only remedy. */
static void warn_of_few_descriptors(void)
{
	unsigned refused = descriptors_refused();

	if (refused > 0)
		log_error("%u sockets and log files can't be opened: the limit of %u descriptors must "
			  "be higher (ulimit -n)", refused, descriptors_limit());
}

bool configuration_start(const struct load_options *options, bool stays_alive)
{
	load_options = options;
	stays_alive_empty = stays_alive;
	current = load();
	if (!current)
		return false;
	for (size_t i = 0; i < current->count; i++)
		service_start(current->services[i]);
	release_services(current);
	warn_of_few_descriptors();
	return true;
}

void configuration_free(void)
{
	while (!TAILQ_EMPTY(&services))
		service_free(TAILQ_FIRST(&services));
	settings_free(current);
	current = NULL;
}

/* --- which running service a new one is ----------------------------------------------------- */

enum { KEY_SIZE = 256 };

/* A running service that no new settings have been found for yet. */
struct candidate {
	UT_hash_handle hh;
	struct service *service;
	struct candidate *next; /* with the same key */
	size_t index;
	char key[];             /* how its id begins, in lower case */
};

struct plan {
	struct candidate *by_key;
	struct settings *settings;
	struct service **running; /* by index of settings->services; NULL: a new one */
	unsigned added, kept, removed, broken;
};

static void write_key(char key[static KEY_SIZE], const char *id)
{
	snprintf(key, KEY_SIZE, "%s", id);
	for (; *key; key++)
		if (*key >= 'A' && *key <= 'Z')
			*key = (char)(*key - 'A' + 'a');
}

static struct candidate *candidate_new(struct service *service)
{
	char key[KEY_SIZE];
	struct candidate *candidate;

	write_key(key, service->settings->id);
	candidate = calloc(1, sizeof *candidate + strlen(key) + 1);
	if (!candidate)
		return NULL;
	candidate->service = service;
	strcpy(candidate->key, key);
	return candidate;
}

/* Appends to the chain of its key, in the order of the services. */
static bool candidate_add(struct plan *plan, struct service *service)
{
	struct candidate *candidate = candidate_new(service), *first;

	if (!candidate)
		return false;
	HASH_FIND_STR(plan->by_key, candidate->key, first);
	if (first) {
		while (first->next)
			first = first->next;
		first->next = candidate;
		return true;
	}
	HASH_ADD_KEYPTR(hh, plan->by_key, candidate->key, strlen(candidate->key), candidate);
	if (candidate->hh.tbl)
		return true;
	free(candidate);
	return false;
}

static void candidates_free(struct plan *plan)
{
	struct candidate *first, *following;

	HASH_ITER(hh, plan->by_key, first, following) {
		HASH_DEL(plan->by_key, first);
		while (first) {
			struct candidate *next = first->next;

			free(first);
			first = next;
		}
	}
}

static bool has_same_socket(const struct service_settings *one, const struct service_settings *other)
{
	return one->socket_type == other->socket_type && one->port == other->port &&
	       one->protocol_number == other->protocol_number;
}

/* The running service that is to have settings: one of the same id that is not
 * taken yet, with the same socket if `exact`. */
static struct service *take_candidate(struct plan *plan, const struct service_settings *settings,
				      bool exact)
{
	struct candidate *candidate;
	char key[KEY_SIZE];

	write_key(key, settings->id);
	HASH_FIND_STR(plan->by_key, key, candidate);
	for (; candidate; candidate = candidate->next) {
		struct service *service = candidate->service;

		if (!service || strcasecmp(service->settings->id, settings->id) != 0 ||
		    (exact && !has_same_socket(service->settings, settings)))
			continue;
		candidate->service = NULL;
		return service;
	}
	return NULL;
}

/* First those that keep their sockets, then those that change them: two services
 * of one id are told apart by their ports. */
static void match_services(struct plan *plan)
{
	for (int exact = 1; exact >= 0; exact--)
		for (size_t i = 0; i < plan->settings->count; i++)
			if (!plan->running[i])
				plan->running[i] = take_candidate(plan, plan->settings->services[i],
								  exact);
}

static bool make_plan(struct plan *plan, struct settings *settings)
{
	struct service *service;
	bool fine = true;

	plan->settings = settings;
	plan->running = calloc(settings->count + 1, sizeof *plan->running);
	TAILQ_FOREACH(service, &services, link)
		if (!service->is_draining)
			fine &= candidate_add(plan, service);
	if (!plan->running || !fine)
		return false;
	match_services(plan);
	return true;
}

/* --- carrying it out ---------------------------------------------------------------------------- */

/* A service that the new configuration no longer has, unless that is only
 * because something is wrong there. */
static void drop(struct plan *plan, struct service *service)
{
	const char *id = service->settings->id;

	if (settings_has_broken(plan->settings, id) || plan->settings->lost_entries) {
		log_warning("service %s: keeping the running version until the configuration is "
			    "right", id);
		plan->broken++;
		return;
	}
	log_notice("service %s deactivated", id);
	plan->removed++;
	handover_offer(service, NULL);
	service_remove(service);
}

static void drop_the_rest(struct plan *plan)
{
	struct candidate *first, *following;

	HASH_ITER(hh, plan->by_key, first, following)
		for (struct candidate *each = first; each; each = each->next)
			if (each->service)
				drop(plan, each->service);
}

/* Ends the sessions whose peers the new settings would not admit. */
static void recheck_sessions(struct service *service)
{
	struct session *session, *next;

	for (session = LIST_FIRST(&service->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (judge_still_admits(service->settings, &session->peer))
			continue;
		service_refused(service, REFUSED_ADDRESS, &session->peer, NULL);
		session_end(session);
	}
}

/* Sessions that began while per_source was not set count from now on. */
static void recount_sources(struct service *service)
{
	struct session *session;

	if (service->settings->per_source == UNLIMITED || !service_sources(service))
		return;
	LIST_FOREACH(session, &service->sessions, link)
		if (session->is_counted && !session->source)
			session->source = source_enter(service->sources, &session->peer,
						       service->settings->source_prefix);
}

static bool is_unchanged(const struct service *service, const struct service_settings *settings)
{
	return strcmp(service->settings->canonical, settings->canonical) == 0;
}

static void adopt(struct plan *plan, struct service *service, struct service_settings *settings)
{
	bool unchanged = is_unchanged(service, settings);

	if (!service_adopt(service, settings)) {
		plan->broken++;
		return;
	}
	plan->kept++;
	if (unchanged)
		return;
	recheck_sessions(service);
	recount_sources(service);
}

static void offer_sockets(struct plan *plan)
{
	for (size_t i = 0; i < plan->settings->count; i++)
		if (plan->running[i] && !is_unchanged(plan->running[i], plan->settings->services[i]))
			handover_offer(plan->running[i], plan->settings->services[i]);
}

static void carry_out(struct plan *plan)
{
	handover_begin();
	offer_sockets(plan);
	drop_the_rest(plan);
	for (size_t i = 0; i < plan->settings->count; i++) {
		struct service_settings *settings = plan->settings->services[i];

		if (plan->running[i])
			adopt(plan, plan->running[i], settings);
		else if (service_start(settings))
			plan->added++;
	}
	handover_end();
}

/* What is wanted and nobody had. */
static void open_new_sockets(void)
{
	struct service *service;
	struct listener *listener;

	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(listener, &service->listeners, link)
			if (!listener_is_open(listener) && !service->is_suspended)
				listener_open(listener);
}

/* In xinetd's words, and more where there is more to say. */
static void sum_up(const struct plan *plan)
{
	char kept[64] = "";

	if (plan->broken)
		snprintf(kept, sizeof kept, ", %u keep their running version", plan->broken);
	log_notice("Reconfigured: new=%u old=%u dropped=%u (services)%s", plan->added, plan->kept,
		   plan->removed, kept);
}

static void adopt_settings(struct settings *settings)
{
	struct plan plan = { 0 };

	if (!make_plan(&plan, settings)) {
		log_error("reconfiguration failed: out of memory; the old configuration stays in force");
		settings_free(settings);
	} else {
		carry_out(&plan);
		open_new_sockets();
		release_services(settings);
		settings_free(current);
		current = settings;
		warn_of_few_descriptors();
		sum_up(&plan);
	}
	candidates_free(&plan);
	free(plan.running);
}

void configuration_reload(void)
{
	struct settings *settings;

	if (shutdown_has_begun()) /* a reload would open the services again */
		return;
	descriptors_open_reserve();
	settings = load();
	sink_reopen_all();
	descriptors_close_reserve();
	host_names_forget();
	if (settings)
		adopt_settings(settings);
	else
		log_error("reconfiguration failed; the old configuration stays in force");
	if (configuration_service_count() == 0 && !stays_alive_empty) {
		log_error("No available services. Exiting");
		exit_status = EXIT_FAILURE;
		shutdown_begin();
	}
}
