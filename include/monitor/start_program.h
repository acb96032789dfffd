/* The parts of a launch that run on workers: preparing an order, and starting its
 * program. They use only their order. */
#ifndef USHERD_MONITOR_START_PROGRAM_H
#define USHERD_MONITOR_START_PROGRAM_H

#include "monitor/program_order.h"

#include <stdbool.h>

/* How many programs can be started at the same time: PROGRAM_SLOTS_MAX, fewer when
 * that would take more than a quarter of the descriptor limit. */
int program_slots(void);

/* The first descriptor after those that are reserved for starting programs. */
int program_slots_end(void);

/* Reserves the descriptors for launches; see launcher_init. */
int start_program_init(void) __attribute__((warn_unused_result));

/* True when a program of these settings must be prepared before it is started. */
bool program_needs_preparing(const struct service_settings *settings);

/* Looks up the user's groups and the program's label, if they are needed. May wait for a name
 * service or a file system. On failure failed_step is set. */
void prepare_program(struct program_order *order);

/* Starts the program. At most program_slots() threads may do so at once. */
void start_program(struct program_order *order);

/* The current step of the worker or the child. Any thread. */
const char *program_step(const struct program_order *order);

/* Frees the results of prepare_program. */
void program_order_clear(struct program_order *order);

#endif
