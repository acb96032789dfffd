/* The programs that run, by process and by session, until each is reaped and the
 * frontend knows of it. Loop thread only. */
#ifndef USHERD_MONITOR_CHILDREN_H
#define USHERD_MONITOR_CHILDREN_H

#include "base/address.h"
#include "base/hash.h"
#include "base/timer.h"
#include "channel/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_tally;

/* One program. The fields before by_pid may be read. */
struct child {
	uint64_t session;
	pid_t pid;
	uint32_t service; /* number in the generation in force; SERVICE_IS_NEW: removed */
	struct address peer;
	struct address socket; /* that a wait server has; unknown: it has a connection ... */
	bool v6only, is_inner; /* ... as in bind_message */
	bool launch_told;      /* a frontend that did not ask for it knows of its launch */
	bool start_told;       /* a frontend knows that it was started */
	int64_t started;       /* seconds since the epoch ... */
	uint64_t opened;       /* ... and as clock_now() has it */
	int errors;            /* the read end of its standard error, for a frontend; -1: none */
	bool has_ended;        /* reaped, with ... */
	int status;

	UT_hash_handle by_pid, by_session;
	struct child_tally *tally; /* NULL: it does not count */
	struct timer grace;
};

/* How long a program has from SIGTERM to SIGKILL. */
enum { CHILD_GRACE_MS = 5000 };

/* A child with errors -1, allocated before its program is started, so that no running
 * program is lost. NULL with errno ENOMEM. */
struct child *child_new(void);

/* Adds the child, whose first fields must be set. 0, or -1 with errno ENOMEM: it stays the
 * caller's. */
int child_add(struct child *child) __attribute__((warn_unused_result));

/* The child of that process; of that session. NULL: there is none. */
struct child *child_of_process(pid_t pid);
struct child *child_of_session(uint64_t session);

/* The process was reaped: another process may get its id. */
void child_reaped(struct child *child, int status);

/* Forgets it, closes what is open of it and frees it. child_free: of one that was
 * never added. */
void child_remove(struct child *child);
void child_free(struct child *child);

/* Sends its process group SIGTERM and, if it is not reaped CHILD_GRACE_MS later, SIGKILL;
 * with at_once SIGKILL immediately. */
void child_end(struct child *child, bool at_once);

/* Calls visit for each, which may remove it. */
void children_each(void (*visit)(struct child *child));

size_t children_count(void);

/* --- what counts against the limits ------------------------------------------------------
 * Programs that run, and those that are being started. */

/* The child, added or not, is one of that service's from here on, and counts until it is
 * freed. */
void child_counts_for(struct child *child, uint32_t service);
void child_counts_no_more(struct child *child);

/* True when fewer than `most` of the service's count; UNLIMITED: there is no limit. For
 * want of memory to count in, false. */
bool children_have_room(uint32_t service, unsigned most);

/* How many of all services count. */
unsigned children_counted(void);

#endif
