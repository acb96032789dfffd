/* Passes a connection on to another address, in the loop. */
#ifndef USHERD_HANDLERS_REDIRECT_H
#define USHERD_HANDLERS_REDIRECT_H

#include "session/session.h"

/* Lets connections into a socket that is closed to all others. */
struct redirect_gate {
	/* fd is about to connect. done is called once it is let in, with error 0, or can't
	 * be, but not before this returns. NULL with errno: it can't be, and done is not
	 * called. */
	void *(*open)(struct session *session, int fd, void (*done)(void *context, int error),
		      void *context);

	/* fd is about to be closed. opening: what open returned while done is still due,
	 * which is then not called; otherwise NULL. */
	void (*close)(struct session *session, int fd, void *opening);
};

/* Serves session by relaying it to address, through gate, in place of what redirect
 * says. */
void redirect_to(struct session *session, const struct address *address,
		 const struct redirect_gate *gate);

#endif
