/* Whether any process still has the connection of a session. A frontend that keeps a descriptor of
 * it (service_keeps_socket) hides from the client that its program has closed it; so the monitor
 * looks at the descriptors of the session's processes in /proc, and tells.
 *
 * A look costs one readlink(2) as a rule: at the descriptor that was the connection last time.
 * Looks become rare while a session goes on, and only so many processes are looked at in a
 * moment. A process that can't be looked at counts as one that has it; so do too many of them.
 * Loop thread only. */
#ifndef USHERD_MONITOR_SOCKET_HOLDERS_H
#define USHERD_MONITOR_SOCKET_HOLDERS_H

#include "base/timer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct socket_holders;

/* No process has the connection any more. */
typedef void socket_released(struct socket_holders *holders);

enum {
	HOLDERS_FIRST_MS = 100, /* from the start of a program to the first look */
	HOLDERS_MAX_MS = 2000,  /* between looks */
	HOLDERS_SURE_MS = 100,  /* from a look that found none to the one that must confirm it */
	HOLDERS_TICK_MS = 100,  /* in so long a time ... */
	HOLDERS_PER_TICK = 100, /* ... so many processes are looked at */
	HOLDERS_PROCESSES_MAX = 64, /* of one session; more count as holding it */
};

/* One connection that is watched; embedded in its owner, all zero at first. */
struct socket_holders {
	uint64_t inode; /* of the socket; 0: not watched */
	pid_t program;
	bool has_ended; /* the program, and was reaped */
	pid_t pid;      /* who had the connection last ... */
	int fd;         /* ... as this descriptor */
	uint64_t wait_ms;
	bool was_missing; /* the last look found nobody */
	struct timer timer;
	socket_released *released;
};

/* Notes which connection a program is to get. */
void socket_holders_note(struct socket_holders *holders, int connection);

bool socket_holders_are_noted(const struct socket_holders *holders);

/* The program has it, and may have ended already. If it was noted, it is watched from now on, and
 * released is called once, when nobody has it, and never before this returns. */
void socket_holders_watch(struct socket_holders *holders, pid_t program, socket_released *released);

/* The program has ended and is, or is about to be, reaped. What it left may have the
 * connection. */
void socket_holders_lose_program(struct socket_holders *holders);

/* The last process of the session has ended: released is called, unless it was before. */
void socket_holders_lose_all(struct socket_holders *holders);

/* Harmless when nothing is watched. */
void socket_holders_stop(struct socket_holders *holders);

/* True when a process of the session has the connection, at this moment. False also when none was
 * noted. */
bool socket_is_held(struct socket_holders *holders);

#endif
