#include "frontend/status.h"

#include "base/container_of.h"
#include "base/timer.h"
#include "frontend/adoption.h"
#include "frontend/status_parts.h"

#include <stdlib.h>
#include <string.h>

struct ordered {
	uint32_t number; /* of the service, in the generation */
	bool is_ambiguous;
};

struct status {
	struct status_walk walk;
	bool is_sorted; /* by the ids of services */
	const struct status_part *parts;
	bool has_begun; /* the part walk.part */
	struct ordered *order;
	uint32_t count, next; /* of order */
	const struct generation *generation;
	uint32_t number; /* its own */
	char *bytes;
	size_t length;
	struct timer timer;
	status_done *done;
	void *context;
};

/* --- the order of the services -------------------------------------------------------------- */

static const char *id_of(const struct ordered *place)
{
	return adoption_generation()->services[place->number]->id;
}

static int compare_places(const void *one, const void *other)
{
	return strcmp(id_of(one), id_of(other));
}

static void sort(struct status *status)
{
	qsort(status->order, status->count, sizeof *status->order, compare_places);
	for (uint32_t i = 1; i < status->count; i++)
		if (compare_places(&status->order[i - 1], &status->order[i]) == 0)
			status->order[i - 1].is_ambiguous = status->order[i].is_ambiguous = true;
}

static bool find_order(struct status *status)
{
	const struct generation *generation = adoption_generation();

	free(status->order);
	status->generation = generation;
	status->number = generation ? generation->number : 0;
	status->count = generation ? generation->count : 0;
	status->order = calloc(status->count + 1, sizeof *status->order);
	if (!status->order)
		return false;
	for (uint32_t i = 0; i < status->count; i++)
		status->order[i].number = i;
	if (status->is_sorted)
		sort(status);
	return true;
}

/* --- writing -------------------------------------------------------------------------------- */

static void close_text(struct status *status)
{
	if (status->walk.out)
		fclose(status->walk.out);
	status->walk.out = NULL;
	free(status->bytes);
	status->bytes = NULL;
}

/* From the beginning. False: out of memory. */
static bool start(struct status *status)
{
	close_text(status);
	status->walk = (struct status_walk){ .part = status->parts };
	status->has_begun = false;
	status->walk.out = open_memstream(&status->bytes, &status->length);
	return find_order(status) && status->walk.out;
}

static void begin_part(struct status *status)
{
	status->has_begun = true;
	status->next = 0;
	status->walk.shown = 0;
	status->walk.separator = NULL;
	if (status->walk.part->once)
		status->walk.part->once(&status->walk);
}

static void write_next(struct status *status)
{
	const struct ordered *place = &status->order[status->next++];
	const struct service *service = adoption_service(place->number);

	status->walk.is_ambiguous = place->is_ambiguous;
	if (service)
		status->walk.part->each(&status->walk, service);
}

static void end_part(struct status *status)
{
	const struct status_part *part = status->walk.part++;
	const struct service *service;

	status->has_begun = false;
	status->walk.is_ambiguous = false;
	if (part->is_for_draining)
		TAILQ_FOREACH(service, &services, link)
			if (service->is_draining)
				part->each(&status->walk, service);
	if (part->end)
		part->end(&status->walk);
}

/* One piece. False: that was all. */
static bool step(struct status *status)
{
	const struct status_part *part = status->walk.part;

	if (!part->once && !part->each)
		return false;
	if (!status->has_begun)
		begin_part(status);
	else if (part->each && status->next < status->count)
		write_next(status);
	else
		end_part(status);
	return true;
}

static void status_free(struct status *status)
{
	timer_stop(&status->timer);
	close_text(status);
	free(status->order);
	free(status);
}

static void finish(struct status *status)
{
	bool is_whole = status->walk.out && fclose(status->walk.out) == 0;

	status->walk.out = NULL;
	status->done(status->context, is_whole ? status->bytes : NULL, status->length);
	status_free(status);
}

static void on_turn(struct timer *timer)
{
	struct status *status = container_of(timer, struct status, timer);
	const struct generation *generation = adoption_generation();

	if ((generation != status->generation ||
	     (generation && generation->number != status->number)) &&
	    !start(status)) {
		close_text(status);
		finish(status);
		return;
	}
	for (int i = 0; i < STATUS_SERVICES_PER_TURN; i++)
		if (!step(status)) {
			finish(status);
			return;
		}
	timer_start(timer, 0);
}

struct status *status_begin(enum status_form form, status_done *done, void *context)
{
	static const struct status_part *const forms[] = {
		[STATUS_TABLE] = status_table_parts,
		[STATUS_JSON] = status_json_parts,
		[STATUS_METRICS] = status_metrics_parts,
	};
	struct status *status = calloc(1, sizeof *status);

	if (!status)
		return NULL;
	status->parts = forms[form];
	status->is_sorted = form == STATUS_METRICS;
	status->done = done;
	status->context = context;
	timer_init(&status->timer, on_turn);
	if (!start(status)) {
		status_free(status);
		return NULL;
	}
	timer_start(&status->timer, 0);
	return status;
}

void status_cancel(struct status *status)
{
	status_free(status);
}
