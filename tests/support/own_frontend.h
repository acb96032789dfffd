/* The monitor runs in the test's process, and the test plays the frontend: it sends what no
 * correct frontend sends. The monitor kills a process that does nothing. Every function fails
 * the test if it can't do its work. */
#ifndef USHERD_TESTS_OWN_FRONTEND_H
#define USHERD_TESTS_OWN_FRONTEND_H

#include "channel/message.h"
#include "monitor/monitor.h"

#include <stdbool.h>
#include <stddef.h>

/* The monitor's options; to be set before own_frontend_begin. */
extern struct monitor_options own_frontend_options;

/* Reserves the low descriptors for launches, before Check uses them. To be called where the
 * suite is made. */
void own_frontend_keep_descriptors(void);

/* Starts the monitor with the configuration, which is written into a new directory. The
 * frontend has sent nothing yet. */
void own_frontend_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
void own_frontend_finish(void);

/* Sends MESSAGE_READY and receives the generation; adopts it. */
void own_frontend_get_ready(void);
void own_frontend_adopt(void);

/* Makes the monitor read another configuration and send it. It is not adopted yet. */
void own_frontend_reload(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends a whole message; sends any bytes. */
void own_frontend_say(const struct message *message, const int descriptors[], unsigned count);
void own_frontend_say_raw(const void *bytes, size_t size, const int descriptors[], unsigned count);

/* Receives the next message, which must be of that kind. Closes the descriptors that came with
 * it, *count of them. */
struct message own_frontend_hear(enum message_kind kind, unsigned *count);

struct message own_frontend_hear_any(unsigned *count);

/* Says that the lines of all that it has received of programs are in the log. */
void own_frontend_say_logged(void);

/* Runs the loop until the monitor has read all that was sent. */
void own_frontend_wait_read(void);

/* Receives and counts the pending messages. */
unsigned own_frontend_drain(void);

/* True when the channel is open at the monitor's end. */
bool own_frontend_is_heard(void);

/* Kills the frontend's process and closes its end of the channel. In own_frontend_wait_next
 * the monitor learns of it, and starts another frontend, which the test then plays. */
void own_frontend_kill(void);
void own_frontend_wait_next(void);

/* Closes only its end of the channel. */
void own_frontend_close(void);

/* A copy of that end. */
int own_frontend_channel(void);

/* Reaps processes that have ended, as the monitor does at SIGCHLD. */
void own_frontend_reap(void);

/* A number for the next session of this frontend. */
uint64_t own_frontend_session(void);

/* The number of the generation that it received last. */
uint32_t own_frontend_generation(void);

/* What the monitor has logged. */
const char *own_frontend_log(void);

/* The descriptors that are open in this process. */
unsigned own_descriptors(void);

#endif
