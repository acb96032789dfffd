/* LABELED: the SELinux context a program gets, with the level of the peer's
 * connection (labeled networking). */
#ifndef USHERD_MONITOR_LABEL_H
#define USHERD_MONITOR_LABEL_H

/* The context for `server` when it is started on connection: the policy's result for
 * usherd's own context at the peer's level. To be freed. NULL with errno: the kernel has
 * no SELinux, the peer no label, or the policy no result. */
char *label_for(const char *server, int connection);

#endif
