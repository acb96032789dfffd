/* Asks the peer's identd for the user of a connection (RFC 1413), without blocking and
 * with a deadline. Loop thread only. */
#ifndef USHERD_SESSION_IDENTIFY_H
#define USHERD_SESSION_IDENTIFY_H

#include "base/address.h"

#include <stdint.h>

struct identification;

enum identify_result {
	IDENTIFIED,
	IDENTIFY_NO_SERVER, /* nobody answers there */
	IDENTIFY_TIMED_OUT,
	IDENTIFY_SYSTEM_ERROR, /* ours */
	IDENTIFY_RECEIVE_ERROR,
	IDENTIFY_BAD_RESPONSE,
};

enum { IDENTIFY_DEADLINE_MS = 30000 };

/* Asks peer's identd about the connection between local and peer. The query is sent from
 * local's address, because the identd looks for a connection with that address. done is
 * called once, later, never before this returns; user is escaped for a log line and
 * valid during the call, NULL unless IDENTIFIED. Returns NULL with errno ENOMEM; any
 * other failure goes to done. */
typedef void identify_done(void *context, enum identify_result result, const char *user);
struct identification *identify_start(const struct address *local, const struct address *peer,
				      uint64_t deadline_ms, identify_done *done, void *context);

/* done will not be called. */
void identify_cancel(struct identification *identification);

/* Where identds listen, IDENT_PORT unless told otherwise. For tests. */
void identify_set_port(uint16_t port);

/* "no server", "timeout", "system error", "error while receiving response" or
 * "bad response": the reason of a NOID line. */
const char *identify_result_text(enum identify_result result);

#endif
