/* The files that are sent to peers. There is one copy of a file in memory, for all
 * sessions that send it, and only as long as there are any; the size of all copies is
 * limited. Loop thread only; workers read. */
#ifndef USHERD_FRONTEND_BANNER_H
#define USHERD_FRONTEND_BANNER_H

#include "frontend/ask.h"

#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

enum {
	BANNER_MAX = 1024 * 1024,      /* bytes of a file that are sent */
	BANNERS_MAX = 16 * BANNER_MAX, /* of all that are in memory */
};

/* A version of a file, with a reference count. */
struct banner {
	unsigned references;
	size_t length;
	struct banner_file *file; /* NULL: there is a newer version */
	char bytes[];
};

struct banner_wait;

/* banner is the caller's to release; NULL: error says why it can't be read. */
typedef void banner_found(struct banner_wait *wait, struct banner *banner, int error);

/* Embedded in the waiter. */
struct banner_wait {
	LIST_ENTRY(banner_wait) link;
	banner_found *found;
};

/* Reads the banner of the service if it has changed, then calls found once, never before
 * this returns. Returns 0, or -1 with errno. */
int banner_find(struct banner_wait *wait, const struct service *service, enum banner_kind which,
		banner_found *found) __attribute__((warn_unused_result));

/* Sets a function that opens banners instead of ask_banner, with the same contract except
 * for the result: 0, or -1 with errno. For tests. */
typedef int banner_opener(const struct service *service, enum banner_kind which, ask_opened *done,
			  void *context);
void banner_use_opener(banner_opener *opener);

/* found will not be called. Only before it was called. */
void banner_cancel(struct banner_wait *wait);

void banner_release(struct banner *banner);

/* Bytes in memory. For tests. */
size_t banners_size(void);

#endif
