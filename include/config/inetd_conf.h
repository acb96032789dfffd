/* Reads inetd.conf(5) and converts each line to the equivalent service entry.
 *
 * A line is
 *	[ADDRESS[,ADDRESS...]:]NAME TYPE PROTOCOL WAIT USER SERVER [ARGV ...]
 * as in xinetd -inetd_compat, with extensions of the BSD and GNU inetds:
 *
 * ADDRESS   an address, [IPv6 address], host name or *; a line with only ADDRESS:
 *           applies to the following lines that have none
 * NAME      a service, a port number, NAME/VERSIONS for RPC, tcpmux/NAME and
 *           tcpmux/+NAME
 * TYPE      a socket type; `,MAX` after it: instances, the rest queue
 * PROTOCOL  tcp, udp and, for one family, tcp4, udp4, tcp6, udp6 (IPv6 only), or
 *           tcp46, udp46 (both); rpc/PROTOCOL. A plain tcp is for both, as in
 *           xinetd, unless another line serves the same NAME with tcp6: then it
 *           is for IPv4, as in the BSDs
 * WAIT      wait or nowait, and after it
 *           .MAX or :MAX  starts in a minute; beyond it these inetds disable the
 *              service for ten minutes. Here the rest queues (cps MAX/60,
 *              cps_action queue)
 *           /CHILDREN[/RATE[/EACH]]  instances (the rest queues), starts in a
 *              minute from one source (source_cps RATE/60 RATE), per_source;
 *              0 is no limit
 * USER      USER, USER:GROUP, USER.GROUP; a login class (/CLASS) is not used
 * SERVER    a program, whose ARGV begins with its name, or `internal`. One without
 *           a slash is searched in the usual directories, not in PATH
 *
 * Words are separated by blanks; '...' and "..." keep them together. A line
 * that begins with a blank continues the one before it, unless its second word
 * is a socket type. Lines that begin with # are comments, IPsec policies (#@)
 * included. */
#ifndef USHERD_CONFIG_INETD_CONF_H
#define USHERD_CONFIG_INETD_CONF_H

#include "config/entry.h"
#include "config/problem.h"
#include "config/trust.h"

/* Appends an entry for each line of path to entries. A line that can't be used, for
 * instance one for a unix socket, is reported with what to do instead; other lines are
 * not affected. Returns the number of lines whose service could not be determined, or
 * -1, reported, when path can't be read, or is refused because others can change it. */
int inetd_conf_read(const char *path, struct entry_queue *entries, struct trust *trust,
		    struct problems *problems) __attribute__((warn_unused_result));

/* The same for length bytes of text, of `file` (borrowed for good). */
int inetd_conf_parse(const char *file, const char *text, size_t length, struct entry_queue *entries,
		     struct problems *problems) __attribute__((warn_unused_result));

#endif
