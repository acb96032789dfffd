#include "admission/sensor_list.h"

#include "base/hash.h"
#include "base/prefix_hash.h"

#include <errno.h>
#include <stdlib.h>

struct ban {
	UT_hash_handle hh;
	struct prefix prefix; /* of all the address's bits */
	struct address address;
	uint64_t until;
	size_t place; /* in the heap */
};

/* The ban that ends soonest is at the top of the heap, so that expiring and replacing it
 * need no search: forged addresses can touch sensors at the full speed of the network. */
struct sensor_list {
	struct prefix_hash hash;
	struct ban *table;
	size_t count;
	struct ban *heap[SENSOR_LIST_MAX];
};

struct sensor_list *sensor_list_new(void)
{
	struct sensor_list *list = calloc(1, sizeof *list);

	if (!list)
		return NULL;
	if (prefix_hash_init(&list->hash) < 0) {
		free(list);
		return NULL;
	}
	return list;
}

static void heap_place(struct sensor_list *list, size_t place, struct ban *ban)
{
	list->heap[place] = ban;
	ban->place = place;
}

static void heap_rise(struct sensor_list *list, struct ban *ban)
{
	size_t place = ban->place;

	while (place > 0 && ban->until < list->heap[(place - 1) / 2]->until) {
		heap_place(list, place, list->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	heap_place(list, place, ban);
}

static void heap_sink(struct sensor_list *list, struct ban *ban)
{
	size_t place = ban->place;

	for (;;) {
		size_t child = 2 * place + 1;

		if (child + 1 < list->count &&
		    list->heap[child + 1]->until < list->heap[child]->until)
			child++;
		if (child >= list->count || ban->until <= list->heap[child]->until)
			break;
		heap_place(list, place, list->heap[child]);
		place = child;
	}
	heap_place(list, place, ban);
}

static void lift(struct sensor_list *list, struct ban *ban)
{
	struct ban *last = list->heap[--list->count];

	if (last != ban) {
		heap_place(list, ban->place, last);
		heap_rise(list, last);
		heap_sink(list, last);
	}
	HASH_DEL(list->table, ban);
	free(ban);
}

static void lift_soonest(struct sensor_list *list)
{
	lift(list, list->heap[0]);
}

static struct ban *ban_find(const struct sensor_list *list, const struct prefix *prefix)
{
	uint32_t hash = prefix_hash(&list->hash, prefix);
	struct ban *ban;

	HASH_FIND_BYHASHVALUE(hh, list->table, prefix, PREFIX_KEY_SIZE, hash, ban);
	return ban;
}

void sensor_list_free(struct sensor_list *list)
{
	if (!list)
		return;
	while (list->count > 0)
		lift_soonest(list);
	free(list);
}

static bool ban_add(struct sensor_list *list, const struct prefix *prefix,
		    const struct address *address, uint64_t until)
{
	uint32_t hash = prefix_hash(&list->hash, prefix);
	struct ban *ban = calloc(1, sizeof *ban);

	if (!ban)
		return false;
	ban->prefix = *prefix;
	ban->address = *address;
	address_set_port(&ban->address, 0);
	ban->until = until;
	HASH_ADD_BYHASHVALUE(hh, list->table, prefix, PREFIX_KEY_SIZE, hash, ban);
	if (!ban->hh.tbl) {
		free(ban);
		errno = ENOMEM;
		return false;
	}
	if (list->count == SENSOR_LIST_MAX)
		lift_soonest(list);
	ban->place = list->count++;
	heap_rise(list, ban);
	return true;
}

static bool is_over(uint64_t until, uint64_t now)
{
	return until <= now && until != SENSOR_FOREVER;
}

bool sensor_list_ban(struct sensor_list *list, const struct address *address, uint64_t now,
		     uint64_t until)
{
	struct prefix prefix = prefix_of(address, 128);
	struct ban *ban;

	if (!address_is_known(address) || is_over(until, now))
		return false;
	sensor_list_expire(list, now);
	ban = ban_find(list, &prefix);
	if (!ban)
		return ban_add(list, &prefix, address, until);
	if (ban->until < until) {
		ban->until = until;
		heap_sink(list, ban);
	}
	return false;
}

bool sensor_list_remove(struct sensor_list *list, const struct address *address)
{
	struct prefix prefix = prefix_of(address, 128);
	struct ban *ban = address_is_known(address) ? ban_find(list, &prefix) : NULL;

	if (!ban)
		return false;
	lift(list, ban);
	return true;
}

bool sensor_list_bans(struct sensor_list *list, const struct address *address, uint64_t now)
{
	struct prefix prefix = prefix_of(address, 128);
	struct ban *ban = ban_find(list, &prefix);

	if (ban && !is_over(ban->until, now))
		return true;
	if (ban)
		sensor_list_expire(list, now);
	return false;
}

void sensor_list_expire(struct sensor_list *list, uint64_t now)
{
	while (list->count > 0 && is_over(list->heap[0]->until, now))
		lift_soonest(list);
}

size_t sensor_list_count(const struct sensor_list *list)
{
	return list->count;
}

void sensor_list_each(const struct sensor_list *list,
		      void (*visit)(const struct address *address, uint64_t until, void *context),
		      void *context)
{
	for (size_t i = 0; i < list->count; i++)
		visit(&list->heap[i]->address, list->heap[i]->until, context);
}
