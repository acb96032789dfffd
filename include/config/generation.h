/* The services of one load in a region of memory: what never changes, as small as
 * it can be, and at the same address for every process that maps the region. Equal
 * texts and lists of all services are kept once. */
#ifndef USHERD_CONFIG_GENERATION_H
#define USHERD_CONFIG_GENERATION_H

#include "base/region.h"
#include "config/settings.h"

#include <stddef.h>
#include <stdint.h>

/* Stands at the beginning of its region. */
struct generation {
	uint32_t number;
	uint32_t count;
	struct service_settings **services; /* in the order of the files */
	/* For each service the number of the one in the generation before that it
	 * continues, or SERVICE_IS_NEW. */
	uint32_t *continues;
};

#define SERVICE_IS_NEW UINT32_MAX

/* The number in the next generation of the service that has number in this one, whose
 * services have the numbers there, count of them; SERVICE_IS_NEW: it has none. */
static inline uint32_t service_renumber(uint32_t number, const uint32_t *numbers, uint32_t count)
{
	return number < count ? numbers[number] : SERVICE_IS_NEW;
}

/* Copies services, count of them, into an empty region, with continues beside them.
 * Nothing in the copies points out of the region but what is fixed for the life of
 * the program; they have no arena, no places and no references to give back.
 * Returns the generation, or NULL with errno: ENOMEM. */
struct generation *generation_fill(struct region *region, uint32_t number,
				   struct service_settings *const services[],
				   const uint32_t continues[], uint32_t count);

/* A copy outside of any region, with one reference and an arena of its own: for who
 * goes on under settings whose generation is over. NULL with errno ENOMEM. */
struct service_settings *service_settings_copy(const struct service_settings *service);

/* True when both mean the same, whatever the file and line they come from. */
bool generation_equal(const struct service_settings *one, const struct service_settings *other);

#endif
