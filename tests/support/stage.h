/* For unit tests of handlers: a session with nobody around it but the test, which
 * is its client, its owner and its log. */
#ifndef USHERD_TESTS_STAGE_H
#define USHERD_TESTS_STAGE_H

#include "handlers/handler.h"
#include "session/session.h"
#include "support/deadline.h"

#include <stdbool.h>

struct stage {
	struct service_settings *settings; /* of "svc"; the test adds what it needs */
	struct session *session;           /* NULL once it is closed */
	int client;                        /* the client's end of the connection */
	bool has_started, has_failed;
	enum verdict verdict; /* when it has failed */
};

extern struct stage stage;

/* Fixtures; no session and no connection yet. The end checks that no session is left. */
void stage_set_up(void);
void stage_tear_down(void);

/* A TCP connection over the loopback, whose other end the session will have. */
void stage_connect(void);

/* Opens the session, connected if it is not yet, and has handler serve it. */
void stage_serve(const struct handler *handler);

/* What came since it was last asked for: the service's log, without time stamps,
 * and the daemon's. Lives as long as the test. */
const char *stage_lines(void);
const char *stage_messages(void);

/* Turns the loop until condition is true, and fails the test when that never
 * comes. */
void stage_turn(const struct deadline *deadline, const char *what);
#define turn_until(condition) \
	for (struct deadline deadline_ = deadline_in(DEADLINE_MS); !(condition);) \
	stage_turn(&deadline_, #condition)

#endif
