/* The monitor's rooms in the test's process, with the test as their frontend, at the
 * other end of the channel: it says what no frontend of ours would. What the monitor
 * kills is a process that does nothing. Everything here fails the test when it can't do
 * what it says. */
#ifndef USHERD_TESTS_OWN_FRONTEND_H
#define USHERD_TESTS_OWN_FRONTEND_H

#include "channel/message.h"
#include "monitor/monitor.h"

#include <stdbool.h>
#include <stddef.h>

/* What the monitor is told on its command line; before own_frontend_begin. */
extern struct monitor_options own_frontend_options;

/* Keeps the low descriptors, which launches go through, from Check: to be called where the
 * suite is made. */
void own_frontend_keep_descriptors(void);

/* Starts the monitor with the configuration, which goes into a place of its own. The
 * frontend has said nothing yet. */
void own_frontend_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
void own_frontend_finish(void);

/* Says that it is ready, and hears which generation there is; adopts that. */
void own_frontend_get_ready(void);
void own_frontend_adopt(void);

/* Another configuration for the monitor to read. It is sent, and not yet adopted. */
void own_frontend_reload(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sends a message, whole; bytes of any kind and length. */
void own_frontend_say(const struct message *message, const int descriptors[], unsigned count);
void own_frontend_say_raw(const void *bytes, size_t size, const int descriptors[], unsigned count);

/* The next message, of that kind. What came with it is closed: *count of them. */
struct message own_frontend_hear(enum message_kind kind, unsigned *count);

struct message own_frontend_hear_any(unsigned *count);

/* Turns the loop until the monitor has read all that was said. */
void own_frontend_wait_read(void);

/* Takes and counts the messages that are there. */
unsigned own_frontend_drain(void);

/* True when the channel is open at the monitor's end. */
bool own_frontend_is_heard(void);

/* The process that stands for it is gone, and its end of the channel. The monitor learns
 * of it in own_frontend_reap, and begins another one, to whom the test speaks then. */
void own_frontend_kill(void);
void own_frontend_wait_next(void);

/* Its end of the channel alone is gone. */
void own_frontend_close(void);

/* A copy of that end. */
int own_frontend_channel(void);

/* Takes the processes that have ended, as SIGCHLD has the monitor do. */
void own_frontend_reap(void);

/* The number that the next session of this frontend may have. */
uint64_t own_frontend_session(void);

/* Which generation it was given last. */
uint32_t own_frontend_generation(void);

/* What the monitor has logged. */
const char *own_frontend_log(void);

/* The descriptors that are open in this process. */
unsigned own_descriptors(void);

#endif
