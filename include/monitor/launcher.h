/* Starts all programs: for an accepted connection, a waiting socket or a tcpmux request.
 * Nothing else starts one, so identity, limits and environment are always set. Users,
 * services and sources take turns, and none has more than its share. Loop thread only. */
#ifndef USHERD_MONITOR_LAUNCHER_H
#define USHERD_MONITOR_LAUNCHER_H

#include "channel/message.h"
#include "config/settings.h"
#include "monitor/children.h"
#include "monitor/launch_task.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LAUNCH_DEADLINE_MS = 10000, /* until the exec of the program */
	LAUNCH_SILENCES = 3,        /* a launch in the queue is given up after so many deadlines
				     * without a turn of its service */
	LAUNCH_RETRIES = 5,         /* of a fork that failed, unless NORETRY */
	LAUNCH_RETRY_MS = 5000,
};

/* The results of launches. */
struct launcher_events {
	void (*started)(const struct child *child);
	/* With the session, the step that failed, and the reason. */
	void (*not_started)(const struct program_message *program);
};

/* Reserves the low descriptors that launches go through; must come before any
 * other descriptor is opened, and after loop_init. Returns 0, or -1 with errno. */
int launcher_init(const struct launcher_events *events) __attribute__((warn_unused_result));

/* What a program gets. */
struct launch_descriptors {
	int connection;             /* -1: not available, with errno */
	int errors_to, errors_from; /* the pipe for its standard error; -1: none */
	struct address local;       /* the connection's own */
};

/* Starts the program of settings for a session. proxied: how the client came through a
 * balancer; NULL: directly. The launcher owns the descriptors from now on.
 * One of the events follows, possibly before this returns. */
void launcher_launch(struct service_settings *settings, const struct launch_message *message,
		     const struct proxied *proxied, const struct launch_descriptors *descriptors);

/* Starts another program in the same way, without a connection: its descriptors 0 and 1 are
 * /dev/null, and 2 as well unless stderr is a file. One of the task's callbacks follows,
 * possibly before this returns; the task must stay valid until then. */
void launcher_run(struct launch_task *task);

/* True when the session is being launched. */
bool launcher_has(uint64_t session);

/* Ends the session's program, for that reason, as soon as it has been started; false when it
 * is not being launched. */
bool launcher_end(uint64_t session, enum end_reason reason);

/* A process that is not in children.h was reaped: true when it was a program that is
 * being started. */
bool launcher_reaped(pid_t pid, int status, const struct program_usage *usage);

/* True when that process is a task's that is being started. */
bool launcher_starts_task(pid_t pid);

/* How many are being started. */
unsigned launcher_count(void);

/* Calls visit with the session and the process of each launch whose process exists. */
void launcher_each_process(void (*visit)(uint64_t session, pid_t pid));

/* Calls visit for each wait server that is being started. */
void launcher_each_server(void (*visit)(struct child *child));

/* Another generation is in force: service number i of count has the number numbers[i]. */
void launcher_renumber(const uint32_t *numbers, uint32_t count);

#endif
