/* What the frontend is told, and what it asks for: every message between the two.
 * Nothing that it says is believed without a look at the monitor's own settings.
 * Loop thread only. */
#ifndef USHERD_MONITOR_REQUESTS_H
#define USHERD_MONITOR_REQUESTS_H

#include "monitor/launcher.h"
#include "monitor/monitor.h"

#include <stdbool.h>
#include <stdint.h>

/* Starts the frontend with the generation that was loaded. started is called once,
 * when that is in force, with how many sockets there are and how many should be.
 * 0, or -1 with errno. */
int requests_start(const struct monitor_options *options,
		   void (*started)(uint32_t bound, uint32_t wanted))
	__attribute__((warn_unused_result));

/* Closes every socket. */
void requests_finish(void);

/* A reload: reads the files and passes on what is new. */
void requests_reload(void);

/* Has the frontend write the status report; look at its counts. */
void requests_report(void);
void requests_check(void);

/* Has the frontend end: what it serves itself at once, and itself when the last
 * program has ended, or without waiting for programs. */
void requests_stop(bool leaves_programs);

/* A child of the monitor's has ended, and is about to be reaped. */
void requests_child_ended(pid_t pid, int status);

/* For launcher_init. */
extern const struct launcher_events requests_launcher_events;

#endif
