/* What a child does between clone and execve: the steps of one table, in its order. */
#ifndef USHERD_MONITOR_PROGRAM_STEPS_H
#define USHERD_MONITOR_PROGRAM_STEPS_H

#include "monitor/program_order.h"

#include <stdbool.h>

/* What a child reports, in memory that its parent shares. */
struct program_word {
	const char *step, *failed_step; /* the current step; the one that failed, or NULL */
	int failure;                    /* errno of that step */
};

/* Once, before the others: asks the kernel what it has. */
void program_steps_init(void);

/* True when a child copies the table of descriptors itself, so that it may share it at first. */
bool program_steps_copy_descriptors(void);

/* True when the daemon can change users. */
bool program_steps_change_user(void);

/* Takes the steps, the last of which is the program. Does not return. */
void program_steps_take(const struct program_order *order, struct program_word *word)
	__attribute__((noreturn));

#endif
