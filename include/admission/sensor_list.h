/* The addresses that touched a SENSOR service: all services refuse them until the ban
 * ends. Pure: the clock is an argument.
 *
 * Exactly the address is banned, never a network; ports and IPv6 scopes do not count. At
 * most SENSOR_LIST_MAX are kept: beyond that a new one replaces the ban that ends first,
 * a permanent one last. */
#ifndef USHERD_ADMISSION_SENSOR_LIST_H
#define USHERD_ADMISSION_SENSOR_LIST_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SENSOR_LIST_MAX = 10240 };

#define SENSOR_FOREVER UINT64_MAX

struct sensor_list;
struct sensor_list *sensor_list_new(void); /* NULL with errno */

/* NULL is harmless. */
void sensor_list_free(struct sensor_list *list);

/* Bans address until `until` (milliseconds, monotonic; or SENSOR_FOREVER). An existing
 * ban is extended, never shortened. Returns true when the address was not banned before
 * and is now; false also for an unknown address, if `until` is over or, with errno
 * ENOMEM, if memory runs out. */
bool sensor_list_ban(struct sensor_list *list, const struct address *address, uint64_t now,
		     uint64_t until);

/* Ends the ban of address. False: there is none. */
bool sensor_list_remove(struct sensor_list *list, const struct address *address);

/* True while address is banned; finding an expired ban forgets all of them. */
bool sensor_list_bans(struct sensor_list *list, const struct address *address, uint64_t now);

/* Forgets what has expired. */
void sensor_list_expire(struct sensor_list *list, uint64_t now);

size_t sensor_list_count(const struct sensor_list *list);

/* Calls visit for each ban, in no order; it must not change the list. The
 * address has port 0. */
void sensor_list_each(const struct sensor_list *list,
		      void (*visit)(const struct address *address, uint64_t until, void *context),
		      void *context);

#endif
