/* Reads inetd.conf(5) and makes each line the service entry that says the same.
 *
 * A line is
 *	[addr[,addr]:]NAME TYPE PROTO WAIT USER SERVER [ARGV ...]
 * with PROTO tcp, tcp4, tcp6, tcp46 or udp..., NAME a service or a port number,
 * NAME/VERSIONS and PROTO rpc/tcp or rpc/udp for RPC, WAIT wait or nowait with
 * an optional limit after a dot or a slash (the instances, and with a second one
 * the connections a minute), USER user, user:group or user.group, and SERVER a
 * program or `internal`. */
#ifndef USHERD_CONFIG_INETD_CONF_H
#define USHERD_CONFIG_INETD_CONF_H

#include "config/entry.h"
#include "config/problem.h"

STAILQ_HEAD(entry_queue, entry);

/* Appends an entry for each line of file to entries. A line that can't be used,
 * one for a unix socket among them, is reported with what to do instead and
 * costs only itself. Returns 0, or -1 with errno when file can't be read. */
int inetd_conf_read(const char *file, struct entry_queue *entries, struct problems *problems)
	__attribute__((warn_unused_result));

#endif
