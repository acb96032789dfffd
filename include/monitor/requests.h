/* All messages to and from the frontend. Every message from it is checked against the
 * monitor's own settings. Loop thread only. */
#ifndef USHERD_MONITOR_REQUESTS_H
#define USHERD_MONITOR_REQUESTS_H

#include "monitor/launcher.h"
#include "monitor/options.h"

#include <stdint.h>

/* Starts the frontend with the generation that was loaded. started is called once,
 * when that is in force, with the number of sockets that are bound and that are wanted.
 * 0, or -1 with errno. */
int requests_start(const struct monitor_options *options,
		   void (*started)(uint32_t bound, uint32_t wanted))
	__attribute__((warn_unused_result));

/* How long after a reload that the frontend asked for the next one of these begins. */
enum { RELOADS_APART_MS = 200 };

/* Closes every socket. */
void requests_finish(void);

/* A reload: reads the files and sends the new generation. */
void requests_reload(void);

/* Makes the frontend write the status report; check its counts. */
void requests_report(void);
void requests_check(void);

/* A child of the monitor has ended, and will be reaped after this. */
void requests_child_ended(pid_t pid, int status, const struct program_usage *usage);

/* For launcher_init. */
extern const struct launcher_events requests_launcher_events;

#endif
