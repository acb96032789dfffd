/* A fair queue. Each waiter belongs to a group, for instance a service, and within it to
 * a smaller group, for instance a source. Groups take turns, whatever the length of
 * their queues, and so do the smaller groups within each. At every level the number of
 * turns that a group has under way can be limited, so that it never takes what the
 * others need; the rest of the group waits, and others overtake it.
 *
 * Pure. The time of each operation does not depend on the length of the queue; only
 * turns_join allocates memory. There are no locks: callers with several threads need
 * their own. */
#ifndef USHERD_BASE_TURNS_H
#define USHERD_BASE_TURNS_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	TURNS_LEVELS_MAX = 3,
	TURNS_ALONE = 2048, /* after so many turns in a row a group counts as alone */
};

/* Identifies a group among those of its level in one larger group. */
struct turn_key {
	unsigned char bytes[24];
};

struct turn_key turn_key_number(uint64_t number);

/* The source that address is of; all unknown addresses are one. */
struct turn_key turn_key_source(const struct address *address, struct source_prefix lengths);

/* The owner of a turn: a service, by any unique number, and how to find the source of its
 * client. */
struct turn_owner {
	uint64_t service;
	struct source_prefix lengths;
};

struct turns;
struct turn_group;

/* Embedded in the waiter; all zero when it is not in a queue. Fields are the queue's
 * own. */
struct turn {
	TAILQ_ENTRY(turn) link;
	struct turn_group *group; /* the smallest one; NULL: in no queue */
	bool is_waiting;          /* or under way */
};

/* A queue with so many levels of groups, 0 to TURNS_LEVELS_MAX. most[0] limits how
 * many turns are under way in all, most[1] how many in a group of the first level, and
 * so on; 0: no limit. NULL with errno ENOMEM. */
struct turns *turns_new(size_t levels, const unsigned most[]);

/* Limits how many the queue holds, waiting or under way; without this call there is no
 * limit. A group may hold as many as the group around it has room left. So one group
 * alone gets half of the room, and an empty group finds room unless there are very many
 * groups. */
void turns_set_room(struct turns *turns, unsigned room);

/* Limits the turns that a group with company has under way to so many, if its limit is
 * not lower anyway: turns under way can delay others even after these got their turn.
 * This is for groups of that level, whose keys must be unique in the whole queue, and
 * for smaller ones. A group has company when another group of the level, or in the same
 * larger one, had one of the last TURNS_ALONE turns. To be called before anybody joins. */
void turns_set_most_in_company(struct turns *turns, size_t level, unsigned most);

/* Forgets everybody in it. NULL is harmless. */
void turns_free(struct turns *turns);

/* Appends turn, which is in no queue, to its group. keys has one key for each level,
 * the largest group's first. Returns 0, or -1 with errno and nothing changed: ENOMEM,
 * or EAGAIN when there is no room for it. */
int turns_join(struct turns *turns, struct turn *turn, const struct turn_key keys[])
	__attribute__((warn_unused_result));

/* The next turn, which is then under way until turns_leave. NULL when nobody waits, or
 * only in groups that have reached their limit. */
struct turn *turns_next(struct turns *turns);

/* Whether turns_next would return one. */
bool turns_has_next(const struct turns *turns);

/* Removes turn, which is over or no longer waits. Harmless when it is in no queue. */
void turns_leave(struct turns *turns, struct turn *turn);

/* How many turns the group of turn at that level, 1 or more, has got since it was last
 * empty. */
unsigned long turns_given(const struct turns *turns, const struct turn *turn, size_t level);

unsigned turns_waiting(const struct turns *turns);
unsigned turns_under_way(const struct turns *turns); /* for tests */

#endif
