/* All processes that a session has started, also those that left its process group or outlived
 * their parent.
 *
 * With a cgroup of version 2 the kernel knows them, and none can leave, except with root's
 * rights: of those that have, only the program and its process group get signals. Otherwise
 * they are looked for in /proc: the program, the processes of its session and of its process
 * group, and whatever descends from any of these. The daemon is a subreaper
 * (PR_SET_CHILD_SUBREAPER), so a process whose parents have ended is its child. Such an orphan
 * belongs to the session if it was seen in it before, or if its environment names the same
 * connection (TCPREMOTEIP and so on). An orphan that has left the session, was never seen, and
 * has changed its environment is missed until the daemon itself ends.
 *
 * Never hit: processes in the daemon's own session, which are the frontend and helpers. Loop
 * thread only. */
#ifndef USHERD_MONITOR_SESSION_TREE_H
#define USHERD_MONITOR_SESSION_TREE_H

#include "base/address.h"
#include "monitor/cgroups.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

struct session_tree;

struct session_tree_events {
	/* No process is left. The last event. */
	void (*gone)(struct session_tree *tree, unsigned long memory_kills);
	/* Once: processes are left after the end of the program. */
	void (*remains)(struct session_tree *tree);
};

/* All fields are the room's own. */
struct session_tree {
	pid_t leader;    /* the program; also its session and process group */
	bool has_leader; /* it is not reaped */
	const struct address *peer, *local;
	struct cgroup *cgroup;
	const struct session_tree_events *events; /* NULL: not followed */
	bool told_remains;

	/* Without a cgroup. */
	int signal;        /* to be sent in the next look; 0: none */
	bool group_has_it; /* its process group has this signal already */
	size_t left;       /* processes in the last look */
	struct known_process *known;
	size_t known_count, known_room;
	bool is_listed;
	TAILQ_ENTRY(session_tree) link;
};

/* Makes orphans of programs children of the daemon. is_program: the process is a program that the
 * daemon has started itself. is_spared: the process, which leads a session of the kernel, belongs
 * to no tree, and so does its session. */
void session_trees_adopt(bool (*is_program)(pid_t pid), bool (*is_spared)(pid_t pid));

/* The program runs. The addresses of its connection must stay; the cgroup, which may be NULL,
 * is the tree's from now on. */
void session_tree_init(struct session_tree *tree, pid_t leader, const struct address *peer,
		       const struct address *local, struct cgroup *cgroup);

/* The program has ended; after this it may be reaped. */
void session_tree_lose_leader(struct session_tree *tree);

/* Sends the signal to each process, to some of them before this returns, to the others when the
 * loop has its next turn. With SIGKILL processes that fork do not escape. */
void session_tree_signal(struct session_tree *tree, int number);

/* After session_tree_lose_leader: waits until no process is left. The events come not before this
 * returns. */
void session_tree_follow(struct session_tree *tree, const struct session_tree_events *events);

/* Forgets everything about it; no event comes any more. */
void session_tree_clear(struct session_tree *tree);

/* Processes were reaped: others may be orphans now, and trees may be gone. */
void session_trees_look(void);

/* Sends the signal to whatever descends from the daemon and is in no other tree, now and as it is
 * found later. At once: before this returns. */
void session_trees_end_all(int number, bool at_once);

/* True when a process descends from the daemon that is not in the daemon's own session. */
bool session_trees_are_left(void);

#endif
