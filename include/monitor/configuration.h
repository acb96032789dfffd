/* The configuration in force: files in, generations out. Loop thread only. */
#ifndef USHERD_MONITOR_CONFIGURATION_H
#define USHERD_MONITOR_CONFIGURATION_H

#include "config/generation.h"
#include "config/loader.h"
#include "monitor/plan.h"

#include <stdbool.h>
#include <stdint.h>

void configuration_init(const struct load_options *options);

/* Reads the files, with every complaint logged, and makes them the next generation:
 * configuration_next. The one in force stays so until configuration_adopted. False,
 * logged: it stays for good; also while there is a next one already. */
bool configuration_read(void);

/* The generation that is in force; NULL: none yet. */
const struct generation *configuration_current(void);

/* The one that has been loaded and is not in force yet; NULL: there is none. */
const struct generation *configuration_next(void);

/* The next one is in force: the frontend knows it. */
void configuration_adopted(void);

/* In the words of xinetd, and more where there is more to say: what the last load
 * changed. */
void configuration_sum_up(void);

/* The service of that number; NULL: neither generation has it. */
struct service_settings *configuration_find(uint32_t generation, uint32_t service);

/* For each service of the current generation its number in the next one, or
 * SERVICE_IS_NEW: it is gone. An array of configuration_current()->count, to be freed;
 * NULL for want of memory. */
uint32_t *configuration_numbers(void);

/* What concerns the daemon as a whole. */
const struct daemon_settings *configuration_daemon(void);

/* True when nothing at all is configured: no service, none that is left out. */
bool configuration_is_empty(void);

#endif
