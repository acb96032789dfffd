/* Shares of a limited resource, such as descriptors. A part is reserved for each
 * holder, and for one that may still join; the rest is first come, first served. So
 * one holder alone may have nearly all, and none can leave another with nothing. */
#ifndef USHERD_BASE_SHARES_H
#define USHERD_BASE_SHARES_H

#include <stdbool.h>
#include <sys/queue.h>

enum { SHARE_PART_MAX = 32 };

/* One holder's; embedded in it, all zero at first. held and has_joined may be read. */
struct share {
	LIST_ENTRY(share) link;
	unsigned held;
	bool has_joined;
};

/* All zero: nothing to share. */
struct shares {
	LIST_HEAD(, share) list;
	unsigned total, count;
	unsigned held;      /* by all holders */
	unsigned part;      /* reserved for each holder; see shares_part */
	unsigned unclaimed; /* what holders have not taken yet of their parts */
	bool is_stale;      /* part and unclaimed must be computed again */
};

/* Sets the total, even if more are held. */
void shares_set_total(struct shares *shares, unsigned total);

/* Harmless when it has joined. */
void share_join(struct shares *shares, struct share *share);

/* Gives back what the holder has. Harmless when it has not joined. */
void share_leave(struct shares *shares, struct share *share);

/* True when the holder may have count more. */
bool share_allows(struct shares *shares, const struct share *share, unsigned count);

/* Takes count if the holder may have them. */
bool share_take(struct shares *shares, struct share *share, unsigned count)
	__attribute__((warn_unused_result));

/* The same even if the holder may not. */
void share_take_anyway(struct shares *shares, struct share *share, unsigned count);

void share_give_back(struct shares *shares, struct share *share, unsigned count);

/* How many are reserved for each holder: SHARE_PART_MAX, or less where all parts
 * together would be more than half of the total. For tests. */
unsigned shares_part(struct shares *shares);

#endif
