/* How long sessions and starts of programs took, of all services together. Loop thread only. */
#ifndef USHERD_FRONTEND_TOTALS_H
#define USHERD_FRONTEND_TOTALS_H

#include "base/histogram.h"
#include "session/session.h"

/* The session is served from now on; it is over. */
void totals_session_begun(const struct session *session);
void totals_session_over(const struct session *session);

const struct histogram *totals_sessions(void);

/* From the request to the program's start. */
const struct histogram *totals_launches(void);

#endif
