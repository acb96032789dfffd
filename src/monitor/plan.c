#include "monitor/plan.h"

#include "base/hash.h"
#include "base/lower_case.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A running service, until new settings are found for it. */
struct candidate {
	UT_hash_handle hh;
	struct candidate *next; /* with the same id */
	uint32_t number;
	bool is_taken;
	char id[]; /* in lower case */
};

struct matching {
	const struct generation *running;
	struct candidate *by_id;
};

static struct candidate *candidate_new(const char *id, uint32_t number)
{
	size_t size = strlen(id) + 1;
	struct candidate *candidate = calloc(1, sizeof *candidate + size);

	if (!candidate)
		return NULL;
	candidate->number = number;
	memcpy(candidate->id, id, size);
	lower_case(candidate->id);
	return candidate;
}

/* Appends to the chain of its id, in the order of the services. */
static bool candidate_add(struct matching *matching, uint32_t number)
{
	const char *id = matching->running->services[number]->id;
	struct candidate *candidate = candidate_new(id, number), *first;

	if (!candidate)
		return false;
	HASH_FIND_STR(matching->by_id, candidate->id, first);
	if (first) {
		while (first->next)
			first = first->next;
		first->next = candidate;
		return true;
	}
	HASH_ADD_KEYPTR(hh, matching->by_id, candidate->id, strlen(candidate->id), candidate);
	if (candidate->hh.tbl)
		return true;
	free(candidate);
	return false;
}

static bool add_candidates(struct matching *matching)
{
	for (uint32_t i = 0; matching->running && i < matching->running->count; i++)
		if (!candidate_add(matching, i))
			return false;
	return true;
}

static void candidates_free(struct matching *matching)
{
	struct candidate *first, *following;

	HASH_ITER(hh, matching->by_id, first, following) {
		HASH_DEL(matching->by_id, first);
		while (first) {
			struct candidate *next = first->next;

			free(first);
			first = next;
		}
	}
}

static struct candidate *find(const struct matching *matching, const char *id)
{
	char *key = matching->by_id ? strdup(id) : NULL;
	struct candidate *candidate = NULL;

	if (!key)
		return NULL;
	lower_case(key);
	HASH_FIND_STR(matching->by_id, key, candidate);
	free(key);
	return candidate;
}

static bool has_same_socket(const struct service_settings *one,
			    const struct service_settings *other)
{
	return one->socket_type == other->socket_type && one->port == other->port &&
	       one->protocol_number == other->protocol_number;
}

/* The running service that settings continue, with the same socket if `exact`. */
static uint32_t take_candidate(const struct matching *matching,
			       const struct service_settings *settings, bool exact)
{
	struct candidate *candidate = find(matching, settings->id);

	for (; candidate; candidate = candidate->next) {
		const struct service_settings *service =
			matching->running->services[candidate->number];

		if (candidate->is_taken || (exact && !has_same_socket(service, settings)))
			continue;
		candidate->is_taken = true;
		return candidate->number;
	}
	return SERVICE_IS_NEW;
}

/* First those that keep their sockets, then those that change them. */
static void match_services(struct plan *plan, const struct matching *matching)
{
	for (int exact = 1; exact >= 0; exact--)
		for (uint32_t i = 0; i < plan->count; i++)
			if (plan->continues[i] == SERVICE_IS_NEW)
				plan->continues[i] =
					take_candidate(matching, plan->services[i], exact);
}

static void add_service(struct plan *plan, struct service_settings *service, uint32_t continues)
{
	plan->services[plan->count] = service;
	plan->continues[plan->count++] = continues;
}

/* A running service that the new settings do not have. */
static void leave_or_keep(struct plan *plan, const struct matching *matching, uint32_t number,
			  const struct settings *settings, const struct plan_events *events)
{
	struct service_settings *service = matching->running->services[number];

	if (settings->lost_entries || settings_has_broken(settings, service->id)) {
		add_service(plan, service, number);
		plan->broken++;
		events->broken(service);
	} else {
		plan->removed++;
		events->removed(service);
	}
}

static void place_the_rest(struct plan *plan, const struct matching *matching,
			   const struct settings *settings, const struct plan_events *events)
{
	struct candidate *first, *following;

	HASH_ITER(hh, matching->by_id, first, following)
		for (struct candidate *each = first; each; each = each->next)
			if (!each->is_taken)
				leave_or_keep(plan, matching, each->number, settings, events);
}

static void count_matches(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->count; i++)
		if (plan->continues[i] == SERVICE_IS_NEW)
			plan->added++;
		else
			plan->kept++;
}

int plan_make(struct plan *plan, const struct generation *running, const struct settings *settings,
	      const struct plan_events *events)
{
	struct matching matching = { .running = running };
	size_t most = settings->count + (running ? running->count : 0) + 1;
	bool fine;

	*plan = (struct plan){ .services = calloc(most, sizeof *plan->services),
			       .continues = calloc(most, sizeof *plan->continues) };
	fine = plan->services && plan->continues && add_candidates(&matching);
	if (fine) {
		for (size_t i = 0; i < settings->count; i++)
			add_service(plan, settings->services[i], SERVICE_IS_NEW);
		match_services(plan, &matching);
		count_matches(plan);
		place_the_rest(plan, &matching, settings, events);
	}
	candidates_free(&matching);
	errno = ENOMEM;
	return fine ? 0 : -1;
}

void plan_give_up(struct plan *plan, const struct generation *running, uint32_t i)
{
	uint32_t number = plan->continues[i];

	if (number != SERVICE_IS_NEW) {
		plan->services[i] = running->services[number];
		plan->kept--;
		plan->broken++;
		return;
	}
	plan->added--;
	plan->count--;
	memmove(plan->services + i, plan->services + i + 1,
		(plan->count - i) * sizeof *plan->services);
	memmove(plan->continues + i, plan->continues + i + 1,
		(plan->count - i) * sizeof *plan->continues);
}

void plan_free(struct plan *plan)
{
	free(plan->services);
	free(plan->continues);
	plan->services = NULL;
	plan->continues = NULL;
	plan->count = 0;
}
