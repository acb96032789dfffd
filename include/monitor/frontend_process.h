/* The frontend's process: the monitor starts it, exchanges messages with it, starts it again when
 * it dies, and kills it when it hangs. Loop thread only. */
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
	FRONTEND_PING_MS = 5000,       /* from one ping to the next */
	FRONTEND_PINGS_MAX = 6,        /* one that has not answered after so many is killed */
};

/* Callbacks of the monitor. */
struct frontend_events {
	/* A new frontend is ready. It has no state. */
	void (*ready)(void);
	/* A message of the right shape, after MESSAGE_READY. The callee owns the
	 * descriptors. */
	void (*received)(const struct message *message, const int descriptors[], unsigned count);
	/* The same for one that has lost its descriptors, as in channel.h. */
	bool (*without_descriptors)(const struct message *message);
	/* The frontend has ended. Another one is started, unless this one was stopped or
	 * killed by the functions below. Also called when there was no frontend to stop. */
	void (*gone)(void);
	/* Fills in the first message to the next one; returns its descriptor,
	 * which the caller closes, or -1. */
	int (*start)(struct start_message *start);
};

/* Starts frontends with spawn instead of spawn_frontend: for tests that play the frontend. */
void frontend_process_start_by(pid_t (*spawn)(int channel));

/* Sends pings in that interval, in place of FRONTEND_PING_MS: for tests. */
void frontend_process_ping_every(unsigned milliseconds);

/* Makes the process of the first one, which waits until it is started. It may be made while the
 * configuration is read. 0, or -1 with errno: frontend_process_start tries again. */
int frontend_process_prepare(void);

/* Ends that process if it was not started. */
void frontend_process_discard(void);

/* Starts the first one. 0, or -1 with errno. */
int frontend_process_start(const struct frontend_events *events)
	__attribute__((warn_unused_result));

/* Sends a message, with copies of the descriptors. A frontend that does not read is killed and
 * started again. Sends nothing while there is no frontend. */
void frontend_process_send(const struct message *message, const int descriptors[], unsigned count);

/* The same for what may be sent together with other messages: frontend_process_take_back sends
 * it, at the latest at the end of the loop's turn. Descriptors that its kind always has are not
 * copied at once: call frontend_process_take_back before one of them is closed. */
void frontend_process_lend(const struct message *message, const int descriptors[], unsigned count);
void frontend_process_take_back(void);

/* Kills the frontend and starts another one: it sent what a correct frontend never sends. */
void frontend_process_distrust(const char *reason);

/* True when pid, which was reaped with status, was the frontend. */
bool frontend_process_ended(pid_t pid, int status);

/* Tells it to end, and starts no other one. It closes the connections that it serves itself at
 * once. With leaves_programs it does not wait for the last program to end. */
void frontend_process_stop(bool leaves_programs);

/* Kills it, and starts no other one. */
void frontend_process_kill(void);

/* True after MESSAGE_READY, while the channel is open. The monitor closes the channel if it
 * distrusts the frontend, or if that does not read. */
bool frontend_process_is_ready(void);
pid_t frontend_process_pid(void); /* 0: there is none */

#endif
