/* INTERCEPT (frontend/intercept.h): its sockets and their filters in the kernel. */
#ifndef USHERD_ADMISSION_INTERCEPT_H
#define USHERD_ADMISSION_INTERCEPT_H

#include "config/settings.h"

#include <stdbool.h>

/* True for a service whose clients the daemon accepts for its wait server. */
bool intercepts_streams(const struct service_settings *settings);
bool intercepts_datagrams(const struct service_settings *settings);

/* Opens the socket for refused datagrams on address, with a filter that chooses between
 * it and the server's socket. The latter must be prepared with intercept_prepare and then
 * bound to the same address and port. Returns the descriptor, or -1 with errno. */
int intercept_open_refused(const struct address *address, int v6only,
			   const struct service_settings *settings)
	__attribute__((warn_unused_result));
int intercept_prepare(int fd) __attribute__((warn_unused_result));

/* Replaces the filter by one for these lists, which must have no names; fd: either
 * socket. 0, or -1 with errno. */
int intercept_filter(int fd, const struct access_list *only_from,
		     const struct access_list *no_access) __attribute__((warn_unused_result));

#endif
