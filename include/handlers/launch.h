/* Starts programs for sessions. The monitor does it: a session's connection is sent
 * there, and reports about its program come back. Loop thread only. */
#ifndef USHERD_HANDLERS_LAUNCH_H
#define USHERD_HANDLERS_LAUNCH_H

#include "base/shares.h"
#include "channel/message.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdint.h>

/* So many programs are being started at most when a further connection is accepted; fewer where
 * the monitor has few descriptors. The others wait in the kernel, where they cost nothing, and not
 * in the monitor. */
enum { LAUNCHES_MAX = 512 };

/* How requests are sent to the monitor. */
struct launch_way {
	/* Fills in the session's service, and sends the message with copies of the
	 * descriptors. 0, or -1 with errno. */
	int (*ask)(const struct session *session, struct message *message, const int descriptors[],
		   unsigned count);
	/* Ends the program of the session with that number: MESSAGE_END. */
	void (*end)(uint64_t number, bool at_once, enum end_reason reason);
};

/* first: the number of the first session that is launched. */
void launch_init(const struct launch_way *way, uint64_t first);

/* descriptors: how many the monitor has left for programs. */
void launch_set_room(unsigned descriptors);

/* The monitor's messages about a session: MESSAGE_STARTED, MESSAGE_PROCESS,
 * MESSAGE_NOT_STARTED, MESSAGE_ENDED. An unknown number is ignored: the session is
 * closed. terminal: the master that came with MESSAGE_STARTED, which is taken over, or -1. */
void launch_started(const struct program_message *program, int terminal);
void launch_has_process(const struct program_message *program);
void launch_not_started(const struct program_message *program);
void launch_ended(const struct program_message *program);

/* MESSAGE_RELEASED: no process of the session has its connection any more. */
void launch_released(const struct program_message *program);

/* Continues a session that an earlier frontend had started: MESSAGE_SESSION. errors, the
 * read end of its standard error or -1, is taken over. 0, or -1 with errno ENOMEM. */
int launch_resume(struct session *session, const struct program_message *program, int errors)
	__attribute__((warn_unused_result));

/* How many programs run or are being started: what -limit counts. */
unsigned launch_processes(void);

/* The process id of session's program, which may be known before the START line is
 * written. 0: none. */
pid_t launch_process(const struct session *session);

/* The programs that are being started: at most LAUNCHES_MAX, in shares of services. */
struct shares *launch_shares(void);

/* The sessions whose programs write their standard error to the log, in shares of services. For
 * each the monitor keeps a descriptor until it has ended. */
struct shares *launch_pipe_shares(void);

/* True while launches are under way, whose descriptors will soon be free. */
bool launch_is_busy(void);

/* Calls callback once, when the last program has ended. For the end of the daemon. */
void launch_when_idle(void (*callback)(void));

#endif
