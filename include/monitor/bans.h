/* The addresses that frontends have banned (SENSOR), kept for the next frontend. Loop
 * thread only. */
#ifndef USHERD_MONITOR_BANS_H
#define USHERD_MONITOR_BANS_H

#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>

/* Bans address until that time, in milliseconds of clock_now. The ban is lost if memory runs
 * out. */
void bans_add(const struct address *address, uint64_t until);

/* Ends the ban of address. False: it is not banned. */
bool bans_remove(const struct address *address);

/* Calls visit for each ban that is in force. */
void bans_each(void (*visit)(const struct address *address, uint64_t until, void *context),
	       void *context);

#endif
