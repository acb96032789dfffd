#include "monitor/bans.h"

#include "admission/sensor_list.h"
#include "base/clock.h"

static struct sensor_list *list;

void bans_add(const struct address *address, uint64_t until)
{
	if (!list)
		list = sensor_list_new();
	if (list)
		sensor_list_ban(list, address, clock_now(), until);
}

bool bans_remove(const struct address *address)
{
	return list && sensor_list_remove(list, address);
}

void bans_each(void (*visit)(const struct address *address, uint64_t until, void *context),
	       void *context)
{
	if (!list)
		return;
	sensor_list_expire(list, clock_now());
	sensor_list_each(list, visit, context);
}
