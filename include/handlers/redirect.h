/* Passes a connection on to another address, in the loop. */
#ifndef USHERD_HANDLERS_REDIRECT_H
#define USHERD_HANDLERS_REDIRECT_H

#include "session/session.h"

/* Serves session by relaying it to address, in place of what redirect says. */
void redirect_to(struct session *session, const struct address *address);

#endif
