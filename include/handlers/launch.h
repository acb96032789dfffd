/* Starts programs, all of them: for an accepted connection, a waiting socket, a
 * tcpmux request or a retry. There is no other way, so identity, limits and
 * environment cannot be forgotten on one of them. */
#ifndef USHERD_HANDLERS_LAUNCH_H
#define USHERD_HANDLERS_LAUNCH_H

#include "session/session.h"

#include <stdbool.h>

/* Reserves the low descriptors that launches go through; must come before any
 * other descriptor is opened, and after loop_init. Returns 0, or -1 with errno. */
int launch_init(void) __attribute__((warn_unused_result));

/* How many programs run or are being started: what -limit counts. */
unsigned launch_processes(void);

/* The process of session's program, which may be known before session->pid has it:
 * a client can hear from a server before its launch is back. 0 when there is none. */
pid_t launch_process(const struct session *session);

/* True while launches are under way, whose descriptors will soon be free. */
bool launch_is_busy(void);

/* Reaps every child that has ended, writes EXIT lines and closes sessions; to
 * be called on SIGCHLD. */
void launch_reap(void);

/* When the last program has ended, and what programs left behind in their process
 * groups, callback is called once. For the end of the daemon, after orphans_end. */
void launch_when_idle(void (*callback)(void));

enum {
	LAUNCH_DEADLINE_MS = 10000, /* for a program to come to its exec, from its turn on */
	LAUNCH_SILENCES = 3,        /* so many times that for a queue that does not move */
	LAUNCH_RETRIES = 5,         /* of a fork that failed, unless NORETRY */
	LAUNCH_RETRY_MS = 5000,
};

#endif
