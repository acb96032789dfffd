/* The control socket (config/control_socket.h): the monitor makes it, and the frontend answers
 * there. Loop thread only. */
#ifndef USHERD_MONITOR_CONTROL_H
#define USHERD_MONITOR_CONTROL_H

#include "config/settings.h"

enum {
	CONTROL_RETRY_MS = 1000,       /* when another daemon answers there, once ... */
	CONTROL_RETRY_LATER_MS = 60000 /* ... and for ever */
};

/* From now on the daemon is asked where its settings say. If that has changed, or there is no
 * socket, one is made, and the frontend gets it. A failure is logged, and nothing more: services
 * don't depend on it.
 *
 * The directory of the default is made, with mode 0755. No link that others can have made is
 * followed. A socket that is there is replaced only if nobody answers. */
void control_use(const struct daemon_settings *daemon);

/* Sends the socket, if there is one, to a new frontend. */
void control_send(void);

/* Closes the socket and removes its name. */
void control_finish(void);

#endif
