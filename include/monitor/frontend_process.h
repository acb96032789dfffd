/* The frontend as the monitor sees it: a process that is started, spoken to, and
 * started anew when it dies. Loop thread only. */
#ifndef USHERD_MONITOR_FRONTEND_PROCESS_H
#define USHERD_MONITOR_FRONTEND_PROCESS_H

#include "channel/channel.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	FRONTEND_READY_MS = 10000,      /* in which a new one has to say that it runs */
	FRONTEND_STABLE_MS = 1000,      /* one that lived for less died too soon: then there ... */
	FRONTEND_DELAY_FIRST_MS = 100,  /* ... is a delay, which doubles ... */
	FRONTEND_DELAY_MAX_MS = 10000,  /* ... up to this */
};

/* What the monitor is told. */
struct frontend_events {
	/* A new one runs, and knows nothing yet. */
	void (*ready)(void);
	/* A message of the right shape from one that has said that it is ready; the
	 * descriptors are the callee's. */
	void (*received)(const struct message *message, const int descriptors[], unsigned count);
	/* It is gone. Another one is on its way unless frontend_process_stop was called. */
	void (*gone)(void);
	/* Fills in what the next one is told first; its descriptor, or -1. */
	int (*start)(struct start_message *start);
};

/* Has each started by spawn instead of spawn_frontend: for tests, which are the frontend
 * themselves. */
void frontend_process_start_by(pid_t (*spawn)(int channel));

/* Starts the first one. 0, or -1 with errno. */
int frontend_process_start(const struct frontend_events *events) __attribute__((warn_unused_result));

/* Sends a message, with copies of the descriptors. One that does not read is killed,
 * and another one started; nothing is sent while there is none. */
void frontend_process_send(const struct message *message, const int descriptors[], unsigned count);

/* Its message was no such thing as a frontend of ours would say: it is killed, and
 * another one started. */
void frontend_process_distrust(const char *reason);

/* True when pid, which was reaped with status, was the frontend. */
bool frontend_process_ended(pid_t pid, int status);

/* From now on its end is what is wanted: no other one is started. */
void frontend_process_stop(void);

/* It is killed, and not started anew. */
void frontend_process_kill(void);

/* True when it has said so, and still can be spoken to: one that is to be killed, or
 * does not take what it is sent, is not ready any more. */
bool frontend_process_is_ready(void);
pid_t frontend_process_pid(void); /* 0: there is none */

#endif
