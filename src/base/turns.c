#include "base/turns.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct group_id {
	struct turn_group *parent; /* the larger group; NULL: this is the whole queue */
	struct turn_key key;
};

/* What groups that are company for each other share. */
struct neighbours {
	struct turn_key last; /* the group that had the last turn ... */
	unsigned in_a_row;    /* ... and how many in a row, TURNS_ALONE at most */
	bool had_turn;        /* a group had a turn */
};

struct turn_group {
	UT_hash_handle hh;
	struct group_id id;
	TAILQ_ENTRY(turn_group) link;    /* while it is among its parent's ready ones */
	TAILQ_HEAD(, turn_group) ready;  /* smaller groups, the next one first */
	TAILQ_HEAD(, turn) waiting;      /* in a smallest group */
	unsigned most, waits, under_way; /* smaller groups included */
	unsigned long given;
	unsigned most_in_company;
	struct neighbours *neighbours; /* its own; NULL: company makes no difference */
	struct neighbours inside;      /* of smaller groups */
	bool is_ready;
};

struct turns {
	struct turn_group all;
	struct turn_group *groups; /* all except the root */
	size_t levels;
	unsigned most[TURNS_LEVELS_MAX + 1];
	unsigned room; /* 0: no limit */
	size_t company_level;
	unsigned most_in_company; /* 0: no limit */
};

struct turn_key turn_key_number(uint64_t number)
{
	struct turn_key key = { { 0 } };

	memcpy(key.bytes, &number, sizeof number);
	return key;
}

struct turn_key turn_key_source(const struct address *address, struct source_prefix lengths)
{
	struct prefix prefix = prefix_of_source(address, lengths);
	struct turn_key key = { { 0 } };

	key.bytes[0] = (unsigned char)prefix.family;
	memcpy(key.bytes + 1, prefix.bytes, sizeof prefix.bytes);
	return key;
}

/* --- groups --- */

static void group_init(struct turn_group *group, const struct group_id *id, unsigned most)
{
	memset(group, 0, sizeof *group);
	group->id = *id;
	group->most = most;
	group->inside.in_a_row = TURNS_ALONE;
	TAILQ_INIT(&group->ready);
	TAILQ_INIT(&group->waiting);
}

static bool group_is_full(const struct turn_group *group)
{
	if (group->most && group->under_way >= group->most)
		return true;
	return group->neighbours && group->neighbours->in_a_row < TURNS_ALONE &&
	       group->under_way >= group->most_in_company;
}

static bool group_has_next(const struct turn_group *group)
{
	if (group_is_full(group))
		return false;
	return !TAILQ_EMPTY(&group->ready) || !TAILQ_EMPTY(&group->waiting);
}

static void find_neighbours(struct turns *turns, struct turn_group *group, size_t level)
{
	if (turns->most_in_company == 0 || level < turns->company_level)
		return;
	group->most_in_company = turns->most_in_company;
	group->neighbours =
		level == turns->company_level ? &turns->all.inside : &group->id.parent->inside;
}

static struct turn_group *group_find(struct turns *turns, const struct group_id *id, size_t level)
{
	struct turn_group *group;

	HASH_FIND(hh, turns->groups, id, sizeof *id, group);
	if (group)
		return group;
	group = malloc(sizeof *group);
	if (!group)
		return NULL;
	group_init(group, id, turns->most[level]);
	find_neighbours(turns, group, level);
	HASH_ADD(hh, turns->groups, id, sizeof group->id, group);
	if (group->hh.tbl)
		return group;
	free(group);
	return NULL;
}

/* Frees group if it is empty, and then the groups around it if they are. */
static void group_prune(struct turns *turns, struct turn_group *group)
{
	while (group->id.parent && group->waits == 0 && group->under_way == 0) {
		struct turn_group *parent = group->id.parent;

		HASH_DEL(turns->groups, group);
		free(group);
		group = parent;
	}
}

/* Adds to the counts of group and of all groups around it. A group that can have a turn
 * again is appended to the ready ones. */
static void group_count(struct turn_group *group, int waits, int under_way)
{
	for (; group; group = group->id.parent) {
		bool was_ready = group->is_ready;

		group->waits += (unsigned)waits;
		group->under_way += (unsigned)under_way;
		group->given += under_way > 0;
		group->is_ready = group_has_next(group);
		if (!group->id.parent || group->is_ready == was_ready)
			continue;
		if (was_ready)
			TAILQ_REMOVE(&group->id.parent->ready, group, link);
		else
			TAILQ_INSERT_TAIL(&group->id.parent->ready, group, link);
	}
}

/* --- the queue --- */

struct turns *turns_new(size_t levels, const unsigned most[])
{
	struct turns *turns = calloc(1, sizeof *turns);

	if (!turns)
		return NULL;
	turns->levels = levels;
	memcpy(turns->most, most, (levels + 1) * sizeof *most);
	group_init(&turns->all, &(struct group_id){ .parent = NULL }, most[0]);
	return turns;
}

void turns_set_room(struct turns *turns, unsigned room)
{
	turns->room = room;
}

void turns_set_most_in_company(struct turns *turns, size_t level, unsigned most)
{
	turns->company_level = level;
	turns->most_in_company = most;
}

void turns_free(struct turns *turns)
{
	struct turn_group *group, *next;

	if (!turns)
		return;
	HASH_ITER(hh, turns->groups, group, next) {
		HASH_DEL(turns->groups, group);
		free(group);
	}
	free(turns);
}

static unsigned group_size(const struct turn_group *group)
{
	return group->waits + group->under_way;
}

/* Subtracts what group holds from *left, the room in the group around it; false when group
 * may hold no more. */
static bool has_room(const struct turns *turns, const struct turn_group *group, unsigned *left)
{
	unsigned size = group_size(group);

	if (turns->room == 0)
		return true;
	if (size >= *left)
		return false;
	*left -= size;
	return true;
}

/* The smallest group of those keys, if it has room for one more; NULL with errno. */
static struct turn_group *find_place(struct turns *turns, const struct turn_key keys[])
{
	struct turn_group *group = &turns->all, *inner = group;
	unsigned left = turns->room;
	bool fits = has_room(turns, group, &left);

	for (size_t level = 0; level < turns->levels && inner && fits; level++) {
		struct group_id id = { .parent = group, .key = keys[level] };

		inner = group_find(turns, &id, level + 1);
		group = inner ? inner : group;
		fits = inner && has_room(turns, inner, &left);
	}
	if (fits)
		return group;
	group_prune(turns, group);
	errno = inner ? EAGAIN : ENOMEM;
	return NULL;
}

int turns_join(struct turns *turns, struct turn *turn, const struct turn_key keys[])
{
	struct turn_group *group = find_place(turns, keys);

	if (!group)
		return -1;
	turn->group = group;
	turn->is_waiting = true;
	TAILQ_INSERT_TAIL(&group->waiting, turn, link);
	group_count(group, 1, 0);
	return 0;
}

/* Neighbours of inner may have more under way than is allowed in company. */
static void hold_neighbours(struct turns *turns, const struct turn_group *inner)
{
	struct turn_group *each, *next;

	HASH_ITER(hh, turns->groups, each, next)
		if (each != inner && each->neighbours == inner->neighbours)
			group_count(each, 0, 0);
}

/* Notes that group has the turn. */
static void note_turn(struct turns *turns, const struct turn_group *group)
{
	struct neighbours *neighbours = group->neighbours;
	bool is_first, was_alone;

	if (!neighbours)
		return;
	is_first = !neighbours->had_turn;
	was_alone = neighbours->in_a_row == TURNS_ALONE;
	neighbours->had_turn = true;
	if (memcmp(&neighbours->last, &group->id.key, sizeof neighbours->last) == 0) {
		neighbours->in_a_row += !was_alone;
		return;
	}
	neighbours->last = group->id.key;
	if (is_first) /* no company yet */
		return;
	neighbours->in_a_row = 0;
	if (was_alone)
		hold_neighbours(turns, group);
}

struct turn *turns_next(struct turns *turns)
{
	struct turn_group *group = &turns->all, *inner;
	struct turn *turn;

	if (!group_has_next(group))
		return NULL;
	while ((inner = TAILQ_FIRST(&group->ready))) {
		TAILQ_REMOVE(&group->ready, inner, link);
		TAILQ_INSERT_TAIL(&group->ready, inner, link);
		note_turn(turns, inner);
		group = inner;
	}
	turn = TAILQ_FIRST(&group->waiting);
	TAILQ_REMOVE(&group->waiting, turn, link);
	turn->is_waiting = false;
	group_count(group, -1, 1);
	return turn;
}

bool turns_has_next(const struct turns *turns)
{
	return group_has_next(&turns->all);
}

void turns_leave(struct turns *turns, struct turn *turn)
{
	struct turn_group *group = turn->group;

	if (!group)
		return;
	turn->group = NULL;
	if (turn->is_waiting) {
		TAILQ_REMOVE(&group->waiting, turn, link);
		group_count(group, -1, 0);
	} else {
		group_count(group, 0, -1);
	}
	turn->is_waiting = false;
	group_prune(turns, group);
}

unsigned long turns_given(const struct turns *turns, const struct turn *turn, size_t level)
{
	const struct turn_group *group = turn->group;

	for (size_t i = turns->levels; i > level; i--)
		group = group->id.parent;
	return group->given;
}

unsigned turns_waiting(const struct turns *turns)
{
	return turns->all.waits;
}

unsigned turns_under_way(const struct turns *turns)
{
	return turns->all.under_way;
}
