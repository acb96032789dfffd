/* A fair queue: whoever waits belongs to a group, of a service say, and inside of it
 * to a smaller one, of a source say. Groups take turns, whatever the length of
 * their queues, and inside of each the smaller groups do. At every level a group
 * can be held to a number of turns under way at once, so that it never takes what
 * the others need; the rest of it waits while others go before it.
 *
 * Pure. Every operation takes a time that does not grow with the queue; only
 * turns_join allocates memory. Nothing here locks: who shares it between threads does. */
#ifndef USHERD_BASE_TURNS_H
#define USHERD_BASE_TURNS_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
	TURNS_LEVELS_MOST = 3,
	TURNS_ALONE = 2048, /* so many in a row, and a group has no company any more */
};

/* What tells groups of one level in one larger group apart. */
struct turn_key {
	unsigned char bytes[24];
};

struct turn_key turn_key_number(uint64_t number);

/* The source that address is of; all unknown addresses are one. */
struct turn_key turn_key_source(const struct address *address, struct source_prefix lengths);

/* For whom something is done: a service, by whatever number tells it from others,
 * and the source of its client. */
struct turn_owner {
	uint64_t service;
	struct source_prefix lengths;
};

struct turns;
struct turn_group;

/* Embedded in who waits; all zero when it is not in a queue. Fields are the
 * queue's own. */
struct turn {
	TAILQ_ENTRY(turn) link;
	struct turn_group *group; /* the smallest one; NULL: in no queue */
	bool is_waiting;          /* or under way */
};

/* A queue with so many levels of groups, 0 to TURNS_LEVELS_MOST. most[0] bounds how
 * many are under way in all, most[1] how many in a group of the first level, and so
 * on; 0 is no bound. NULL with errno ENOMEM. */
struct turns *turns_new(size_t levels, const unsigned most[]);

/* Has the queue hold at most so many, waiting or under way; without it there is no
 * bound. A group may hold as many as there is room left for in the one around it,
 * and that is what it and its like leave: one that fills it alone has half of it, and
 * there is always room for a group that has nobody in it, until very many are. */
void turns_set_room(struct turns *turns, unsigned room);

/* Holds a group that has company to so many under way, if it is not held to less anyway:
 * what others do not wait for in the queue may still be in their way after it. This is
 * for groups of that level, whose keys have to differ in the whole queue, and for
 * smaller ones. Company is another group of the level, or in the same larger one, that
 * had one of the last TURNS_ALONE turns. To be called before anybody joins. */
void turns_set_most_in_company(struct turns *turns, size_t level, unsigned most);

/* Whoever is in it is forgotten. NULL is harmless. */
void turns_free(struct turns *turns);

/* Has turn, which is in no queue, wait behind those of its group. keys has one key
 * for each level, the largest group's first. Returns 0, or -1 with errno and
 * nothing changed: ENOMEM, or EAGAIN when there is no room for it. */
int turns_join(struct turns *turns, struct turn *turn, const struct turn_key keys[])
	__attribute__((warn_unused_result));

/* Whose turn it is: it is under way from then on, until turns_leave. NULL when
 * nobody waits but in groups that have all that they may have under way. */
struct turn *turns_next(struct turns *turns);

/* Whether turns_next would return one. */
bool turns_has_next(const struct turns *turns);

/* turn is over, or waits no longer. Harmless when it is in no queue. */
void turns_leave(struct turns *turns, struct turn *turn);

/* How many turns the group of that level, 1 or more, that turn is in has been given
 * since it last was empty. */
unsigned long turns_given(const struct turns *turns, const struct turn *turn, size_t level);

unsigned turns_waiting(const struct turns *turns);
unsigned turns_under_way(const struct turns *turns); /* for tests */

#endif
