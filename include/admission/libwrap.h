/* hosts.allow and hosts.deny, hosts_access(5), through libwrap. The library
 * reads files, asks the resolver and identds, and does what the rules say: run
 * commands, change the environment, the umask, the priority. So each question is
 * put in a process of its own, which can be ended when it takes too long and has
 * nothing of the daemon's to spoil. It becomes a child of the daemon's, whose
 * exit status nobody asks for. It hears name servers and identds, and so can be made
 * to run as a user that owns nothing: libwrap_run_as.
 *
 * For want of the connection the options banners, keepalive and linger have no
 * effect, nor have those that would change the server's process (nice, setenv,
 * umask, user); twist, which would take its place, refuses the peer.
 *
 * Services take turns, and within a service the sources of its clients: no service
 * ever has more than half of the processes, no source of a service more than an
 * eighth. What goes beyond waits.
 *
 * Without libwrap at build time everybody is allowed. Loop thread only. */
#ifndef USHERD_ADMISSION_LIBWRAP_H
#define USHERD_ADMISSION_LIBWRAP_H

#include "base/address.h"
#include "base/turns.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct libwrap_query;

enum {
	LIBWRAP_DEADLINE_MS = 10000, /* then the answer is no; waiting for a turn counts */
	LIBWRAP_MOST = 256,          /* processes at once */
	LIBWRAP_WAITING_MOST = 4096, /* questions, those included; no owner has so many that
				      * there is no room for another's, see turns_set_room */
};

/* True when hosts.allow or hosts.deny has any rule at all, or can't be read:
 * otherwise there is nothing to ask. Looks at the files at most once a second. */
bool libwrap_has_rules(void);

/* Asks for owner whether `daemon` may serve peer on its own address local. done is
 * called later, never before this returns. NULL with errno (ENOMEM; EAGAIN: too many)
 * when the question could not be put; there is then no callback. */
typedef void libwrap_answer(void *context, bool allowed);
struct libwrap_query *libwrap_ask(const struct turn_owner *owner, const char *daemon,
				  const struct address *peer, const struct address *local,
				  libwrap_answer *done, void *context);

/* done will not be called. */
void libwrap_cancel(struct libwrap_query *query);

/* Has each question put by a process of that user and group, without others and
 * without capabilities, from now on; commands of rules run as that user, too. A file
 * that is there but not readable to it makes the answer no, which the log is told at
 * most once an hour. */
void libwrap_run_as(uid_t uid, gid_t gid);

/* Has no command run that a rule asks for (spawn) from now on, for who only wants
 * to know. */
void libwrap_run_no_commands(void);

/* Has these files looked at, which stay the caller's and must last, and each
 * question answered by then. For tests. */
void libwrap_set_files(char *allow, char *deny);
void libwrap_set_deadline(uint64_t deadline_ms);

#endif
