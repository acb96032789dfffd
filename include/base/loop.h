/* The event loop: descriptors, timers, and callbacks at the end of a turn.
 *
 * There is one loop, run by one thread, which owns every watch and timer. Only that
 * thread may call these functions; other threads pass it work through a worker pool.
 * A callback may start, stop and free any watch or timer, its own included: a
 * collected event of a watch that has been stopped since is dropped. A descriptor
 * has at most one watch at a time. */
#ifndef USHERD_BASE_LOOP_H
#define USHERD_BASE_LOOP_H

#include "base/watch.h"

#include <stdbool.h>

/* Prepares the loop; once, before anything else here. Returns 0, or -1 with
 * errno. */
int loop_init(void) __attribute__((warn_unused_result));

/* Frees what the loop holds; every watch and timer must be stopped. */
void loop_free(void);

void watch_init(struct watch *watch, int fd, watch_callback *callback);

/* Waits for events (some of LOOP_READ, LOOP_WRITE, LOOP_PEER_DONE; with none, only for POLLHUP
 * and POLLERR) on watch->fd from now on, in place of those waited for before. Returns 0, or -1
 * with errno (ENOMEM, or what epoll_ctl(2) says) with the watch stopped. */
int watch_start(struct watch *watch, short events) __attribute__((warn_unused_result));

/* Must come before close(2) of the descriptor. Harmless on a stopped watch. */
void watch_stop(struct watch *watch);

bool watch_is_started(const struct watch *watch);

/* Dispatches until loop_stop is called; not at all if it was called before.
 * The callbacks of loop_at_turn_end are called once more before it returns. */
void loop_run(void);

/* One turn: waits at most max_wait_ms (-1: no limit) for events and timers, dispatches
 * them, then calls the callbacks of loop_at_turn_end. */
void loop_turn(int max_wait_ms);

/* Makes loop_run return after the current turn. */
void loop_stop(void);

/* Calls callback once at the end of each turn from now on, in the order of
 * registration, before the loop sleeps. At most eight. */
void loop_at_turn_end(void (*callback)(void));

#endif
