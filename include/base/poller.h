/* What the loop waits with. poll(2) serves the usual handful of descriptors;
 * from POLLER_THRESHOLD watches on epoll(7) takes over, so that ten thousand
 * idle descriptors cost nothing. Callers see no difference. */
#ifndef USHERD_BASE_POLLER_H
#define USHERD_BASE_POLLER_H

#include "base/watch.h"

#include <stdbool.h>

enum {
	POLLER_THRESHOLD = 128,
	POLLER_BATCH = 256, /* most events one wait returns */
};

struct poller_event {
	struct watch *watch; /* NULL once the watch was stopped */
	short events;
};

int poller_init(void) __attribute__((warn_unused_result));
void poller_free(void);

/* Adds watch, or changes what it waits for. 0, or -1 with errno. */
int poller_set(struct watch *watch, short events) __attribute__((warn_unused_result));

void poller_remove(struct watch *watch);

/* Waits at most timeout_ms (-1: for ever). Returns how many events it stored;
 * 0 also when a signal interrupted it. */
int poller_wait(struct poller_event events[static POLLER_BATCH], int timeout_ms);

/* True once epoll is in use; for tests and the status report. */
bool poller_uses_epoll(void);

#endif
