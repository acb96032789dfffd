/* The state of each source of connections: how many it has running, and its rate. A
 * source is an address prefix (one host for IPv4 and a /64 for IPv6, unless configured
 * otherwise) at one service.
 *
 * Pure: the clock is an argument. A hash keeps each source that has something running or
 * whose bucket is not full yet. The others are removed during calls, a few at a time.
 * When there are SOURCES_MAX, a new source replaces one that has nothing running, preferably
 * one with a fuller bucket. So a flood from forged addresses needs a limited amount of memory,
 * and never removes a source that has something running. (Of those there may be more than
 * SOURCES_MAX; then only one other source is kept.) */
#ifndef USHERD_ADMISSION_SOURCES_H
#define USHERD_ADMISSION_SOURCES_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOURCES_MAX = 65536 };

/* How fast a bucket fills: with `rate` tokens in so many seconds, up to burst. Rate and
 * burst are 1 to 10,000,000, seconds 1 to 86,400. */
struct pace {
	uint32_t rate, seconds, burst;
};

/* A token bucket. Time is milliseconds of a monotonic clock. A zeroed bucket
 * counts as full at its first use. */
struct token_bucket {
	uint64_t last;  /* when tokens was last updated */
	int64_t tokens; /* millionths of a token */
	bool started;
};

/* Takes one token; false when there is none. */
bool token_bucket_take(struct token_bucket *bucket, uint64_t now, struct pace pace);

/* True when a token could be taken now; takes none. */
bool token_bucket_ready(const struct token_bucket *bucket, uint64_t now, struct pace pace);

/* Milliseconds until there is a token, 0 when there is one. */
uint64_t token_bucket_wait(const struct token_bucket *bucket, uint64_t now, struct pace pace);

struct source;

/* One service's sources. */
struct sources;
struct sources *sources_new(void); /* NULL with errno */

/* Frees every source too, those with something running included: source_leave
 * must not be called for them any more. NULL is harmless. */
void sources_free(struct sources *sources);

/* How many connections of address's source run; 0 for an unknown address. */
unsigned sources_running(const struct sources *sources, const struct address *address,
			 struct source_prefix lengths);

/* Counts one more running connection of address's source. Returns the source,
 * to be given to source_leave when the connection ends, whatever the prefix
 * lengths are by then; NULL for an unknown address (errno 0, nothing to give
 * back then) or, with errno ENOMEM, when memory runs out. */
struct source *source_enter(struct sources *sources, const struct address *address,
			    struct source_prefix lengths);
void source_leave(struct sources *sources, struct source *source);

/* source_cps: takes a token from the bucket of address's source; false when it
 * has none left. An unknown address, and one for which memory runs out, is never
 * refused. */
bool source_take_token(struct sources *sources, const struct address *address,
		       struct source_prefix lengths, uint64_t now, struct pace pace);

/* cps: the fair share of a service's rate. True when this connection is admitted at that
 * pace: when the service's bucket has a token. If it has none, a second bucket with a
 * quarter of the pace (at least 1) admits sources that are below their share. The share
 * is the rate per second divided by the number of sources that connected in the last
 * second. A source is below it if it connected less often in that second, admitted or
 * not. An unknown address has no share. */
bool sources_admit(struct sources *sources, struct token_bucket *service,
		   struct token_bucket *reserve, const struct address *address,
		   struct source_prefix lengths, uint64_t now, struct pace pace);

/* How many sources are remembered; for the status report and tests. */
size_t sources_count(const struct sources *sources);

#endif
