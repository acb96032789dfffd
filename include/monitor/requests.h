/* The requests of the frontend, each of which is checked against the monitor's own settings.
 * Loop thread only. */
#ifndef USHERD_MONITOR_REQUESTS_H
#define USHERD_MONITOR_REQUESTS_H

#include "monitor/options.h"

#include <stdint.h>

/* Starts the frontend with the generation that was loaded. started is called once,
 * when that is in force, with the number of sockets that are bound and that are wanted.
 * 0, or -1 with errno. */
int requests_start(const struct monitor_options *options,
		   void (*started)(uint32_t bound, uint32_t wanted))
	__attribute__((warn_unused_result));

/* Closes every socket. */
void requests_finish(void);

/* Makes the frontend write the status report; check its counts. */
void requests_report(void);
void requests_check(void);

#endif
