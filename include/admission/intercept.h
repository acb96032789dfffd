/* INTERCEPT, frontend/intercept.h: the sockets of it, and what the kernel is told. */
#ifndef USHERD_ADMISSION_INTERCEPT_H
#define USHERD_ADMISSION_INTERCEPT_H

#include "config/settings.h"

#include <stdbool.h>

/* True for a service whose clients the daemon accepts for its wait server. */
bool intercepts_streams(const struct service_settings *settings);
bool intercepts_datagrams(const struct service_settings *settings);

/* Opens the socket for refused datagrams on address, and has the kernel choose
 * between it and the server's, which comes after it and must be let in by
 * intercept_prepare and bound to the same address and port. Returns its
 * descriptor, or -1 with errno. */
int intercept_open_refused(const struct address *address, int v6only,
			   const struct service_settings *settings)
	__attribute__((warn_unused_result));
int intercept_prepare(int fd) __attribute__((warn_unused_result));

/* Has the kernel choose by these lists from now on, which have no names in them; fd:
 * either socket. 0, or -1 with errno. */
int intercept_filter(int fd, const struct access_list *only_from,
		     const struct access_list *no_access) __attribute__((warn_unused_result));

#endif
