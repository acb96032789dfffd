/* What becomes of a session that is refused: its line in the log, the name of the user by ident
 * where log_on_failure has USERID, banner_fail, the end. Loop thread only. */
#ifndef USHERD_FRONTEND_REFUSING_H
#define USHERD_FRONTEND_REFUSING_H

#include "admission/steps.h"
#include "session/session.h"

#include <stdbool.h>

/* True: the session goes on to its next step. Otherwise it is refused, and may be freed. */
bool refusing_heed(struct session *session, struct judgement judgement);

/* Refuses it, for that reason. It may be freed. */
void refusing_begin(struct session *session, enum verdict verdict);

/* What comes after the log: sends banner_fail, if it is set, and closes. The session may be
 * freed. */
void refusing_finish(struct session *session);

#endif
