/* What a reload changes: which service of the new settings continues which running
 * service, and which services are new, kept or removed. Pure. */
#ifndef USHERD_MONITOR_PLAN_H
#define USHERD_MONITOR_PLAN_H

#include "config/generation.h"
#include "config/settings.h"

#include <stdint.h>

/* The services of the next generation, borrowed from the new settings, or from the
 * running generation for those that keep their version. */
struct plan {
	struct service_settings **services;
	uint32_t *continues; /* as in struct generation */
	uint32_t count;
	unsigned added, kept, removed; /* the summary of a reload */
	unsigned broken;               /* kept in their running version */
};

/* Callbacks for running services that are not among the new ones. */
struct plan_events {
	void (*removed)(const struct service_settings *service);
	void (*broken)(const struct service_settings *service); /* keeps its version */
};

/* Plans the step from running, which is NULL at the start, to settings. A service continues
 * one with the same id (ignoring case), preferably one with the same socket, so that services
 * with one id can be distinguished by their ports. A running service whose entry has an error,
 * or may be in skipped text, keeps its version.
 * Returns 0, or -1 with errno ENOMEM. plan_free in either case. */
int plan_make(struct plan *plan, const struct generation *running, const struct settings *settings,
	      const struct plan_events *events) __attribute__((warn_unused_result));

/* Service number i of the plan can't be used: a running one keeps its version, a new one
 * is left out. Numbers above i may change. */
void plan_give_up(struct plan *plan, const struct generation *running, uint32_t i);

/* Frees the lists; the counts of the summary stay. */
void plan_free(struct plan *plan);

#endif
