/* The services' log files: opened here, written to by the frontend. Loop thread only. */
#ifndef USHERD_MONITOR_LOG_FILES_H
#define USHERD_MONITOR_LOG_FILES_H

#include "monitor/plan.h"

/* Opens the log file of every service of the plan, also of services that run. If a file
 * of a new or changed service can't be opened, the service is given up (plan_give_up),
 * and that is logged. */
void log_files_open(struct plan *plan, const struct generation *running);

/* The same for a generation whose files were opened before: a file that can't be opened
 * is logged, and its lines are lost. */
void log_files_open_again(const struct generation *generation);

/* Calls send for each open file, with the number of a service that has it, and closes the
 * file. */
void log_files_send(const struct generation *generation,
		    void (*send)(uint32_t service, int descriptor));

#endif
