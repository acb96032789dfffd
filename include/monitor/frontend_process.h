/* The frontend's process: the monitor starts it, exchanges messages with it, and starts
 * it again when it dies. Loop thread only. */
#ifndef USHERD_MONITOR_FRONTEND_PROCESS_H
#define USHERD_MONITOR_FRONTEND_PROCESS_H

#include "channel/channel.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	FRONTEND_READY_MS = 10000,     /* until then a new one must send MESSAGE_READY */
	FRONTEND_STABLE_MS = 1000,     /* if one lived less, the next start is delayed */
	FRONTEND_DELAY_FIRST_MS = 100, /* the first delay, which doubles ... */
	FRONTEND_DELAY_MAX_MS = 10000, /* ... up to this */
};

/* Callbacks of the monitor. */
struct frontend_events {
	/* A new one runs, without any state. */
	void (*ready)(void);
	/* A message of the right shape from one that has said that it is ready; the
	 * descriptors are the callee's. */
	void (*received)(const struct message *message, const int descriptors[], unsigned count);
	/* It is gone. Another one is started, unless it was stopped or killed from here.
	 * Also when it is stopped while there is none: none will come. */
	void (*gone)(void);
	/* Fills in the first message to the next one; returns its descriptor, or -1. */
	int (*start)(struct start_message *start);
};

/* Has each started by spawn instead of spawn_frontend: for tests, which are the frontend
 * themselves. */
void frontend_process_start_by(pid_t (*spawn)(int channel));

/* Starts the first one. 0, or -1 with errno. */
int frontend_process_start(const struct frontend_events *events)
	__attribute__((warn_unused_result));

/* Sends a message, with copies of the descriptors. A frontend that does not read is
 * killed and started again. Nothing is sent while there is none. */
void frontend_process_send(const struct message *message, const int descriptors[], unsigned count);

/* It sent a message that a correct frontend never sends: kills it and starts another
 * one. */
void frontend_process_distrust(const char *reason);

/* True when pid, which was reaped with status, was the frontend. */
bool frontend_process_ended(pid_t pid, int status);

/* Ends it, and starts no other one: it closes what it serves itself at once, and ends when
 * the last program has ended, or without waiting for programs. */
void frontend_process_stop(bool leaves_programs);

/* Kills it, and starts no other one. */
void frontend_process_kill(void);

/* True when it has said so, and still can be spoken to: one that is to be killed, or
 * does not take what it is sent, is not ready any more. */
bool frontend_process_is_ready(void);
pid_t frontend_process_pid(void); /* 0: there is none */

#endif
