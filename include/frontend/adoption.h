/* Puts a generation of the settings into force: services begin, change and go.
 * Loop thread only. */
#ifndef USHERD_FRONTEND_ADOPTION_H
#define USHERD_FRONTEND_ADOPTION_H

#include "config/generation.h"

#include <stdbool.h>
#include <stddef.h>

/* How long the resolver may take for names in bind before the generation counts as in
 * force without them. */
enum { ADOPTION_NAMES_MS = 5000 };

/* generation stands at the beginning of its region, which the caller keeps; the one
 * that was in force before is given up. Done once, when every socket has been bound
 * or could not be, is called with how many are and should be. */
void adoption_begin(const struct generation *generation,
		    void (*done)(uint32_t bound, uint32_t wanted));

/* Frees every service, whatever runs: what is still to be logged of them is. For the
 * end. */
void adoption_free(void);

/* How many services there are, without those that only finish their sessions. */
size_t adoption_service_count(void);

/* The service of that number in the generation in force; NULL: there is none. */
struct service *adoption_service(uint32_t number);

#endif
