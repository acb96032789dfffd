/* Forwards a connection to another address, in the loop. */
#ifndef USHERD_HANDLERS_REDIRECT_H
#define USHERD_HANDLERS_REDIRECT_H

#include "session/session.h"

/* Permits connections to a socket that drops all others. */
struct redirect_gate {
	/* fd is about to connect. done is called once, not before this returns, when the
	 * connection is permitted (error 0) or can't be. NULL with errno: it can't be, and
	 * done is not called. */
	void *(*open)(struct session *session, int fd, void (*done)(void *context, int error),
		      void *context);

	/* fd is about to be closed. opening: the result of open if done was not called yet
	 * (it is not called then); otherwise NULL. */
	void (*close)(struct session *session, int fd, void *opening);
};

/* Serves session by relaying it to address, through gate; the redirect attribute is not
 * used. */
void redirect_to(struct session *session, const struct address *address,
		 const struct redirect_gate *gate);

#endif
