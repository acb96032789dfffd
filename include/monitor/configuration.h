/* The configuration in force: files in, generations out. Loop thread only. */
#ifndef USHERD_MONITOR_CONFIGURATION_H
#define USHERD_MONITOR_CONFIGURATION_H

#include "base/log.h"
#include "config/generation.h"
#include "config/loader.h"
#include "monitor/plan.h"

#include <stdbool.h>
#include <stdint.h>

/* greet is called once, when the first configuration has said how logs are written; until then
 * the format is this one. */
void configuration_init(const struct load_options *options, enum log_format format,
			void (*greet)(void));

/* How logs are to be written, by the configuration that was read last. */
struct log_style configuration_log_style(void);

/* Reads the files, logs all problems, and makes the next generation: configuration_next. The
 * current one stays in force until configuration_adopted. False if that failed, which is
 * logged, or while there is a next one already. */
bool configuration_read(void);

/* The generation that is in force; NULL: none yet. */
const struct generation *configuration_current(void);

/* The one that has been loaded and is not in force yet; NULL: there is none. */
const struct generation *configuration_next(void);

/* Puts the next one in force: the frontend has adopted it. */
void configuration_adopted(void);

/* Logs what the last load changed, in xinetd's format with additions. */
void configuration_sum_up(void);

/* The service of that number; NULL: neither generation has it. */
struct service_settings *configuration_find(uint32_t generation, uint32_t service);

/* For each service of the current generation its number in the next one, or SERVICE_IS_NEW: it
 * is removed. An array of configuration_current()->count, which the caller frees; NULL: no
 * memory. */
uint32_t *configuration_numbers(void);

/* The attributes of the daemon as a whole. */
const struct daemon_settings *configuration_daemon(void);

/* With watch = yes: calls changed when what is in force does not stand in the files any more. */
void configuration_watch(void (*changed)(void));

/* True when no service is configured, not even one that was left out. */
bool configuration_is_empty(void);

#endif
