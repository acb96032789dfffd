#include "base/shares.h"

#include <stddef.h>

static unsigned unclaimed_of(const struct shares *shares, const struct share *share)
{
	return share->held < shares->part ? shares->part - share->held : 0;
}

static unsigned part_of(unsigned total, unsigned count)
{
	unsigned part = total / 2 / count;

	if (part == 0 && count <= total)
		return 1;
	return part < SHARE_PART_MAX ? part : SHARE_PART_MAX;
}

/* Done only when needed, because thousands of holders may join one after the other. */
static void refresh(struct shares *shares)
{
	const struct share *share;

	if (!shares->is_stale)
		return;
	shares->is_stale = false;
	shares->part = part_of(shares->total, shares->count + 1);
	shares->unclaimed = shares->part; /* of the next holder that joins */
	LIST_FOREACH(share, &shares->list, link)
		shares->unclaimed += unclaimed_of(shares, share);
}

void shares_set_total(struct shares *shares, unsigned total)
{
	shares->total = total;
	shares->is_stale = true;
}

void share_join(struct shares *shares, struct share *share)
{
	if (share->has_joined)
		return;
	share->has_joined = true;
	LIST_INSERT_HEAD(&shares->list, share, link);
	shares->count++;
	shares->is_stale = true;
}

void share_leave(struct shares *shares, struct share *share)
{
	if (!share->has_joined)
		return;
	share->has_joined = false;
	LIST_REMOVE(share, link);
	shares->count--;
	shares->held -= share->held;
	share->held = 0;
	shares->is_stale = true;
}

bool share_allows(struct shares *shares, const struct share *share, unsigned count)
{
	unsigned left, others;

	refresh(shares);
	left = shares->total > shares->held ? shares->total - shares->held : 0;
	if (count > left)
		return false;
	others = shares->unclaimed - unclaimed_of(shares, share);
	return share->held + count <= shares->part || left - count >= others;
}

static void set_held(struct shares *shares, struct share *share, unsigned held)
{
	refresh(shares);
	shares->unclaimed -= unclaimed_of(shares, share);
	shares->held += held - share->held;
	share->held = held;
	shares->unclaimed += unclaimed_of(shares, share);
}

bool share_take(struct shares *shares, struct share *share, unsigned count)
{
	if (!share_allows(shares, share, count))
		return false;
	set_held(shares, share, share->held + count);
	return true;
}

void share_take_anyway(struct shares *shares, struct share *share, unsigned count)
{
	set_held(shares, share, share->held + count);
}

void share_give_back(struct shares *shares, struct share *share, unsigned count)
{
	set_held(shares, share, share->held - count);
}

unsigned shares_part(struct shares *shares)
{
	refresh(shares);
	return shares->part;
}
