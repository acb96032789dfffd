/* Who may be a process of a session: what descends from its program, what is in the program's
 * session of the kernel (setsid(2)), and what descends from the daemon and has left the session
 * that it was started in. So there may be more, but none is missed. Loop thread only. */
#ifndef USHERD_MONITOR_SESSION_PROCESSES_H
#define USHERD_MONITOR_SESSION_PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

/* is_program: whether a process is the program of some session. */
void session_processes_init(bool (*is_program)(pid_t pid));

/* Calls visit for each process that may be of the session of that program, until it returns
 * false; each look reads all of /proc. has_ended: the program was reaped. False when the processes
 * can't be listed. */
bool session_processes_each(pid_t program, bool has_ended, bool (*visit)(pid_t pid, void *context),
			    void *context) __attribute__((warn_unused_result));

#endif
