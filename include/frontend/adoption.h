/* Puts a generation of the settings into force: services are started, changed and removed.
 * Loop thread only. */
#ifndef USHERD_FRONTEND_ADOPTION_H
#define USHERD_FRONTEND_ADOPTION_H

#include "config/generation.h"

#include <stdbool.h>
#include <stddef.h>

/* How long to wait for names in bind before the generation counts as in force. */
enum { ADOPTION_NAMES_MS = 5000 };

/* generation is at the beginning of its region, which the caller keeps; the previous
 * generation is not used any more. done is called once, when every socket has been bound
 * or has failed, with the number of sockets that are bound and that are wanted. */
void adoption_begin(const struct generation *generation,
		    void (*done)(uint32_t bound, uint32_t wanted));

/* The generation in force; NULL: none yet. */
const struct generation *adoption_generation(void);

/* Frees every service in any state, and writes their outstanding log lines. For the
 * daemon's end. */
void adoption_free(void);

/* How many services there are, without those that are draining. */
size_t adoption_service_count(void);

/* The service of that number in the generation in force; NULL: there is none. */
struct service *adoption_service(uint32_t number);

#endif
