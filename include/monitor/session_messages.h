/* What the frontend is told of sessions: that their programs have started or not, and that they are
 * over. What a frontend has not logged when it dies is kept for the next one. Loop thread only. */
#ifndef USHERD_MONITOR_SESSION_MESSAGES_H
#define USHERD_MONITOR_SESSION_MESSAGES_H

#include "monitor/launcher.h"

#include <stdint.h>
#include <sys/types.h>

/* Before the first frontend. */
void session_messages_init(void);

/* For launcher_init. */
extern const struct launcher_events session_messages_launcher_events;

/* The number of this frontend, the upper half of its sessions' numbers; of the next one, which is
 * this one then. */
uint64_t session_messages_frontend(void);
uint64_t session_messages_next_frontend(void);

/* Tells a new frontend of all sessions. */
void session_messages_tell_all(void);

/* The frontend is gone. */
void session_messages_frontend_gone(void);

/* MESSAGE_LOGGED: so many of these messages are in the log. */
void session_messages_logged(uint64_t count);

/* Tells the frontend of the processes that are being started. */
void session_messages_tell_processes(void);

/* A child of the monitor has ended, and will be reaped after this. */
void session_messages_child_ended(pid_t pid, int status, const struct program_usage *usage);

#endif
