#include "monitor/launch_failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool launch_failure_is_limit(int error)
{
	/* ENOSPC: of namespaces. Those of sessions that end are given back. */
	return error == EAGAIN || error == ENOMEM || error == ENOSPC;
}

bool launch_failure_is_passing(const struct program_order *order)
{
	return order->no_process && launch_failure_is_limit(order->failure);
}

/* True for the steps of a jail that make namespaces. */
static bool makes_namespaces(const char *step)
{
	static const char *const steps[] = { "fork", "network", "mounts" };

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (strcmp(steps[i], step) == 0)
			return true;
	return false;
}

/* The text of ENOSPC alone sends readers to their disks. */
const char *launch_failure_reason(const struct program_order *order)
{
	static char text[sizeof((struct program_message *)NULL)->reason];

	if (!order->jail || order->failure != ENOSPC || !makes_namespaces(order->failed_step))
		return strerror(order->failure);
	snprintf(text, sizeof text,
		 "%s: a limit of namespaces in /proc/sys/user is reached, see namespaces(7)",
		 strerror(order->failure));
	return text;
}
