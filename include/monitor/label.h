/* LABELED: the SELinux context a program gets, with the level of the peer's
 * connection (labeled networking). */
#ifndef USHERD_MONITOR_LABEL_H
#define USHERD_MONITOR_LABEL_H

/* The context that `server` is to have when it is started on connection: what the
 * policy says for usherd's own context at the peer's level. To be freed. NULL
 * with errno: the kernel has no SELinux, the peer no label, the policy no answer. */
char *label_for(const char *server, int connection);

#endif
