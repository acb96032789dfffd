/* Names for sessions that no two sessions share, also of different runs of the daemon: the
 * time of its start, and a count. */
#ifndef USHERD_BASE_SESSION_ID_H
#define USHERD_BASE_SESSION_ID_H

#include <stdint.h>

struct session_id {
	uint64_t run; /* microseconds since the epoch; 0: no id */
	uint64_t number;
};

enum { SESSION_ID_SIZE = 34 };

/* The next one. One process may call it. */
struct session_id session_id_new(void);

/* "RUN-NUMBER" in hexadecimal digits, "" for none. Returns text. */
const char *session_id_text(struct session_id id, char text[static SESSION_ID_SIZE]);

#endif
