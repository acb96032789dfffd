/* The services' log files: opened here, written to by the frontend. Loop thread only. */
#ifndef USHERD_MONITOR_LOG_FILES_H
#define USHERD_MONITOR_LOG_FILES_H

#include "monitor/plan.h"

/* Opens the log file of every service of the plan, anew for those that run. A service
 * that is to have another log than it has, and can't, is given up (plan_give_up), and
 * the log says why. */
void log_files_open(struct plan *plan, const struct generation *running);

/* The same for a generation whose files were opened before: what can't be opened is
 * said, and lost. */
void log_files_open_again(const struct generation *generation);

/* Hands each file that is open to send, with the number of a service that has it, and
 * closes it. */
void log_files_send(const struct generation *generation,
		    void (*send)(uint32_t service, int descriptor));

#endif
