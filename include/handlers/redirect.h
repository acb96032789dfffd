/* Passes a connection on to another address, in the loop. */
#ifndef USHERD_HANDLERS_REDIRECT_H
#define USHERD_HANDLERS_REDIRECT_H

#include "session/session.h"

/* Lets connections into a socket that is closed to all others. */
struct redirect_gate {
	/* fd is about to connect. Returns 0, or -1 with errno when it can't be let in. */
	int (*open)(struct session *session, int fd);

	/* fd is about to be closed; it may never have been let in. */
	void (*close)(struct session *session, int fd);
};

/* Serves session by relaying it to address, through gate, in place of what redirect
 * says. */
void redirect_to(struct session *session, const struct address *address,
		 const struct redirect_gate *gate);

#endif
