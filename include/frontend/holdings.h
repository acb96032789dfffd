/* What a session holds of what all share: descriptors, a place among the pending sessions, one
 * among the instances, one among the launches, an ident request. All of it is given back when the
 * session closes, if not before. Loop thread only. */
#ifndef USHERD_FRONTEND_HOLDINGS_H
#define USHERD_FRONTEND_HOLDINGS_H

#include "admission/steps.h"
#include "frontend/service.h"
#include "session/session.h"

#include <stdbool.h>

/* ident_limit: -logprocs, how many refused peers' ident servers are asked at a time. */
void holdings_init(unsigned ident_limit);

/* Opens a pending session of the service for the connection, which is the session's from now on
 * (-1: it has none). source: as in quota_judge_pending. NULL: there is no room; that is logged, and
 * the connection is closed. */
struct session *holdings_open(struct service *service, int fd, const struct address *peer,
			      const struct address *source, enum way way);

/* The same for a session whose program an earlier frontend has started: it has no connection here,
 * and there is room in any case. has_pipe: its standard error goes to the log. NULL with errno
 * ENOMEM. */
struct session *holdings_resume(struct service *service, const struct address *peer, enum way way,
				bool has_pipe);

/* It will start no program, or that has ended: it does not count as one with stderr = log. */
void holdings_drop_pipe(struct session *session);

/* The session is pending no more. */
void holdings_end_pending(struct session *session);

/* Counts it against instances and per_source, and no more: when it is refused after all. */
void holdings_count(struct session *session);
void holdings_uncount(struct session *session);

/* Takes a place among the launches, until the program has started. If the share is used up, the
 * launch goes on uncounted: it was admitted before. */
void holdings_begin_launch(struct session *session);

/* A program has the connection now. The daemon keeps at most its own descriptor of it, the
 * program's terminal, and the pipe of its standard error. */
void holdings_keep_program(struct session *session);

/* For the user of a refused peer. False: as many are being asked as -logprocs allows. */
bool holdings_take_ident(struct session *session);
void holdings_end_ident(struct session *session);

#endif
