/* The services of one load in a region of memory: constant, small, and at the same
 * address in every process that maps the region. Equal texts and lists are stored only
 * once, and so are equal struct program_settings and struct admission_settings. */
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
	/* For each service the number of the service in the previous generation that it
	 * continues, or SERVICE_IS_NEW. */
	uint32_t *continues;
};

#define SERVICE_IS_NEW UINT32_MAX

/* The number in the next generation of the service with this number in the current one:
 * numbers has it for each of the count services. SERVICE_IS_NEW: it has none. */
static inline uint32_t service_renumber(uint32_t number, const uint32_t *numbers, uint32_t count)
{
	return number < count ? numbers[number] : SERVICE_IS_NEW;
}

/* Copies count services and continues into an empty region. The copies point only into
 * the region, or to what exists as long as the program; they have no arena, no places
 * and no reference counts. Returns the generation, or NULL with errno ENOMEM. */
struct generation *generation_fill(struct region *region, uint32_t number,
				   struct service_settings *const services[],
				   const uint32_t continues[], uint32_t count);

/* A copy outside of any region, with one reference and an arena of its own: for sessions
 * that outlive the generation of their settings. Its only_from and no_access refuse
 * everybody: nobody else is admitted by it. NULL with errno ENOMEM. */
struct service_settings *service_settings_copy(const struct service_settings *service);

/* True when both have the same meaning; file and line may differ. */
bool generation_equal(const struct service_settings *one, const struct service_settings *other);

#endif
