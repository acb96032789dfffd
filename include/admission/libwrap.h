/* hosts.allow and hosts.deny, hosts_access(5), through libwrap. The library
 * reads files, asks the resolver and identds, and executes the rules: it runs
 * commands and changes the environment, the umask, the priority. So each check runs in
 * a process of its own, which can be killed when it takes too long, and which cannot
 * damage the daemon. It becomes a child of the daemon, which ignores its exit status. It
 * reads data of name servers and identds, so it can run as a user that owns nothing:
 * libwrap_run_as.
 *
 * That process does not have the connection, so the options banners, keepalive and linger
 * have no effect. Nor have options that would change the server's process (nice, setenv,
 * umask, user); twist, which would replace it, refuses the peer.
 *
 * Services take turns, and within a service the sources of its clients: no service
 * ever has more than half of the processes, no source of a service more than an
 * eighth. The rest waits.
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
	LIBWRAP_MAX = 256,           /* processes at once */
	LIBWRAP_WAITING_MAX = 4096,  /* checks, waiting or running; one owner cannot take all,
				      * see turns_set_room */
};

/* True when hosts.allow or hosts.deny has any rule, or can't be read: otherwise no check
 * is needed. Reads the files at most once a second. */
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

/* From now on each check runs as that user and group, without supplementary groups and
 * without capabilities; so do commands of rules. If a file exists but that user can't
 * read it, the answer is no, which is logged at most once an hour. */
void libwrap_run_as(uid_t uid, gid_t gid);

/* From now on no command of a rule (spawn) is run, for -explain. */
void libwrap_run_no_commands(void);

/* Other files, which stay the caller's and must last, and another deadline. For
 * tests. */
void libwrap_set_files(char *allow, char *deny);
void libwrap_set_deadline(uint64_t deadline_ms);

#endif
