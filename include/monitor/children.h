/* The programs that run, by process and by session, until each session is over and the frontend
 * was told. Loop thread only. */
#ifndef USHERD_MONITOR_CHILDREN_H
#define USHERD_MONITOR_CHILDREN_H

#include "base/address.h"
#include "base/hash.h"
#include "base/timer.h"
#include "channel/message.h"
#include "monitor/end_command.h"
#include "monitor/session_slots.h"
#include "monitor/socket_holders.h"
#include "session/end_reason.h"
#include "monitor/session_tree.h"
#include "monitor/terminal.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct child_tally;

/* One program. The fields before by_pid may be read.
 *
 * A tracked session lasts until the last process that it started has ended, and so does one that
 * is made to end. Any other ends with its program. */
struct child {
	uint64_t session;
	pid_t pid;
	uint32_t service; /* number in the generation in force; SERVICE_IS_NEW: removed */
	struct address peer, local;
	struct cgroup *cgroup; /* from before its start; NULL: none */
	struct address socket; /* a wait server's; unknown: it has a connection */
	bool v6only, is_inner; /* of the socket, as in bind_message */
	bool launch_told;      /* a frontend that did not ask for it was told of its launch */
	bool start_told;       /* a frontend was told that it started */
	uint64_t start_news, end_news; /* the numbers of what the frontend was told of it */
	int64_t started;               /* in seconds since the epoch */
	uint64_t opened;               /* the same time, as of clock_now */
	int network;                   /* its number in network_pool.h; -1: none */
	int errors;     /* the read end of its standard error, for a frontend; -1: none */
	bool has_ended; /* reaped, with status ... */
	int status;     /* ... at this time, as of clock_now */
	uint64_t ended;
	bool is_tracked, kills_rest; /* of its service */
	bool is_ending;              /* child_end was called */
	bool is_killed, is_held;     /* SIGKILL was sent; it did not help in time */
	bool is_gone;                /* no process of the session is left, as far as known */
	bool is_over;                /* its end_command has ended, too; the owner's */
	unsigned long memory_kills;  /* processes that the kernel killed for want of memory */
	struct program_usage usage;
	enum end_reason reason; /* why it ends; the first one counts */
	unsigned grace_ms;      /* from SIGTERM to SIGKILL */
	struct session_id id;
	struct session_slot slot;        /* session_env */
	struct end_command *end_command; /* NULL: none */

	struct socket_holders holders; /* of its connection */
	struct terminal terminal;      /* its master, until a frontend has it */

	TAILQ_ENTRY(child) told; /* the owner's: the frontend was told of its end, if ... */
	bool is_told;

	UT_hash_handle by_pid, by_session;
	struct child_tally *tally; /* NULL: it is not counted */
	struct timer grace, runtime;
	struct session_tree tree;
};

struct child_events {
	/* The last process of a session has ended, later than its program; the child is_gone. */
	void (*gone)(struct child *child);
	/* Some seconds after SIGKILL, processes of the session are left. Once. */
	void (*held)(const struct child *child);
};

/* Before any child is added. is_spared: a process that no session ends. */
void children_init(const struct child_events *events, bool (*is_spared)(pid_t pid));

/* A child with errors -1, allocated before its program is started, so that no running
 * program is lost. NULL with errno ENOMEM. */
struct child *child_new(void);

/* Adds the child. Its fields before by_pid must be set. 0, or -1 with errno ENOMEM: the caller
 * still owns it. */
int child_add(struct child *child) __attribute__((warn_unused_result));

/* The child of that process; of that session. NULL: there is none. */
struct child *child_of_process(pid_t pid);
struct child *child_of_session(uint64_t session);

/* True when the process is the program of a session. */
bool child_is_program(pid_t pid);

/* The process was reaped: from now on another process may get its id. The session is over, or
 * it will be later. */
void child_reaped(struct child *child, int status);

/* Its session is over: it is counted no more, others may have its slot and its cgroup, and its
 * end_command is freed. */
void child_settle(struct child *child);

/* Closes the read end of its standard error, if it has it. */
void child_close_errors(struct child *child);

/* Removes the child, closes its descriptors and frees it. child_free: for a child that was
 * never added. */
void child_remove(struct child *child);
void child_free(struct child *child);

/* Sends all processes of the session SIGTERM and, to those that are left grace_ms later,
 * SIGKILL; with at_once SIGKILL immediately. */
void child_end(struct child *child, bool at_once, enum end_reason reason);

/* Ends it after that time, for END_MAX_RUNTIME. */
void child_limit_runtime(struct child *child, uint64_t milliseconds);

/* Calls visit for each child; visit may remove it. */
void children_each(void (*visit)(struct child *child));

size_t children_count(void);

/* --- what counts against the limits ------------------------------------------------------
 * Programs that run, and those that are being started. */

/* Counts the child, added or not, for that service from now on, until it is freed. */
void child_counts_for(struct child *child, uint32_t service);
void child_counts_no_more(struct child *child);

/* Its service has that number in the generation that comes. It counts for that if it counted. */
void child_renumber(struct child *child, uint32_t service);

/* True when fewer than `most` programs of the service are counted; UNLIMITED: always. False
 * also when memory is short. */
bool children_have_room(uint32_t service, unsigned most);

/* How many programs of all services are counted. */
unsigned children_counted(void);

#endif
