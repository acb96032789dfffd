/* Asks libwrap for the frontend, which may start no process. Each question is put in
 * a process of its own, which runs as the frontend's user: it listens to name servers
 * and identds. Loop thread only. */
#ifndef USHERD_MONITOR_LIBWRAP_ANSWERS_H
#define USHERD_MONITOR_LIBWRAP_ANSWERS_H

#include "channel/message.h"
#include "config/settings.h"

/* Once, when frontend_user_init has chosen the user. */
void libwrap_answers_init(void);

/* Finds the answer and sends it to the frontend, with the same ticket. Who can't be
 * asked about is not let in. */
void libwrap_answers_find(const struct service_settings *settings,
			  const struct libwrap_message *asked);

/* The frontend does not wait for the answer of that ticket any more; for any. */
void libwrap_answers_forget(uint64_t ticket);
void libwrap_answers_forget_all(void);

#endif
