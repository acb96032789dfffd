/* end_command: the program that is run when a session's own program has ended, whatever ended
 * it. It has descriptors 0 and 1 on /dev/null, and 2 as well unless stderr is a file. It is
 * killed when it takes longer than kill_timeout. Loop thread only. */
#ifndef USHERD_MONITOR_END_COMMAND_H
#define USHERD_MONITOR_END_COMMAND_H

#include "base/address.h"
#include "config/settings.h"
#include "monitor/environment.h"
#include "monitor/launch_task.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct end_command;

/* How it is started: launcher_run. */
void end_command_init(void (*launch)(struct launch_task *task));

/* The command of a session of settings, of which it has a copy; made before the session, so
 * that it is there at its end; of client it has copies, too. facts are for placeholders. NULL
 * with errno ENOMEM. */
struct end_command *end_command_new(const struct service_settings *settings,
				    const struct program_client *client,
				    const struct session_facts *facts);

/* NULL is harmless. It must not be running. */
void end_command_free(struct end_command *command);

/* Runs it, once. service: the number in the generation in force. done is called when it has
 * ended, or can't be started, which is logged; possibly before this returns. */
void end_command_run(struct end_command *command, uint32_t service,
		     const struct session_facts *facts, void (*done)(void *context), void *context);

/* True for a process that is one of these. */
bool end_command_is(pid_t pid);

/* A process was reaped: true when it was one of these. */
bool end_command_reaped(pid_t pid, int status);

/* Kills all that run, because the daemon ends at once. From then on end_commands_are_killed. */
void end_commands_kill(void);
bool end_commands_are_killed(void);

#endif
