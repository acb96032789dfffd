/* What the last load of the configuration came to: MESSAGE_LOADED. Loop thread only. */
#ifndef USHERD_FRONTEND_LAST_LOAD_H
#define USHERD_FRONTEND_LAST_LOAD_H

#include "channel/message.h"

#include <stdbool.h>

/* Takes the descriptor over; -1: there is no text. */
void last_load_take(const struct reload_message *message, int descriptor);

/* With time 0 when none is known. */
const struct reload_message *last_load(void);

/* Lines, each with its newline: what changed and what was wrong. */
const char *last_load_text(void);

/* True when it is in force and had no error. */
bool last_load_is_fine(void);

#endif
