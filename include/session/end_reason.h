/* Why a session ended. */
#ifndef USHERD_SESSION_END_REASON_H
#define USHERD_SESSION_END_REASON_H

#include <stdbool.h>
#include <stdint.h>

enum end_reason {
	END_BY_ITSELF, /* the program ended, or the client closed the connection */
	END_MAX_RUNTIME,
	END_IDLE_TIMEOUT,
	END_DISCONNECT, /* the client is gone, and the program was ended for it */
	END_START_TIMEOUT,
	END_MEMORY, /* it used more than its service may */
	END_RELOAD, /* the service is removed, or does not admit the client any more */
	END_STOP,   /* the daemon ends */
	END_ASKED,  /* -end */
	END_REASONS
};

/* The word for the log and for end_command; of END_BY_ITSELF "exit". */
const char *end_reason_text(enum end_reason reason);

/* True when a number that another process sent is a reason. */
bool end_reason_is_known(uint8_t number);

/* Sets *reason if there is none yet: the first cause is the true one. */
void end_reason_note(enum end_reason *reason, enum end_reason cause);

#endif
