#include "frontend/sensors.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/own_name.h"
#include "frontend/ask.h"

static struct sensor_list *list;

int sensors_init(void)
{
	list = sensor_list_new();
	return list ? 0 : -1;
}

struct sensor_list *sensors_list(void)
{
	return list;
}

void sensors_know(const struct address *address, uint64_t until)
{
	sensor_list_ban(list, address, clock_now(), until);
}

bool sensors_forgive(const struct address *address)
{
	bool was_banned = sensor_list_bans(list, address, clock_now());

	sensor_list_remove(list, address);
	if (was_banned)
		ask_unban(address);
	return was_banned;
}

/* A deny_time of -1 is for ever. The message begins like a critical one of xinetd: with
 * the pid and the name of xinetd's function. */
void sensors_touched(const struct service_settings *settings, const struct address *peer)
{
	int minutes = settings->deny_time;
	uint64_t now = clock_now();
	uint64_t until = minutes < 0 ? SENSOR_FOREVER : now + (uint64_t)minutes * 60000;
	char text[ADDRESS_TEXT_SIZE];

	if (!service_bans(settings))
		return;
	ask_ban(peer, until);
	if (sensor_list_ban(list, peer, now, until))
		log_critical("%d {process_sensor} Adding %s to the global_no_access list for %d "
			     "minutes",
			     (int)own_process(), log_address(peer, text), minutes);
}
