/* Asks libwrap for the frontend, which can't start processes. Each check runs in a
 * process of its own as the frontend's user, because it reads data of name servers and
 * identds. Loop thread only. */
#ifndef USHERD_MONITOR_LIBWRAP_ANSWERS_H
#define USHERD_MONITOR_LIBWRAP_ANSWERS_H

#include "channel/message.h"
#include "config/settings.h"

/* Once, when frontend_user_init has chosen the user. */
void libwrap_answers_init(void);

/* Finds the answer and sends it to the frontend, with the same ticket. If the check is
 * not possible the answer is no. */
void libwrap_answers_find(const struct service_settings *settings,
			  const struct libwrap_message *asked);

/* Cancels the check with that ticket; all checks. */
void libwrap_answers_forget(uint64_t ticket);
void libwrap_answers_forget_all(void);

#endif
