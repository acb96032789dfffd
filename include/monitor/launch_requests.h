/* Launches that the frontend asks for: whether a correct frontend would, whether the service may
 * start another program, and the order to the launcher. Loop thread only. */
#ifndef USHERD_MONITOR_LAUNCH_REQUESTS_H
#define USHERD_MONITOR_LAUNCH_REQUESTS_H

#include "channel/message.h"
#include "config/settings.h"

#include <stdint.h>

struct launch_request {
	const struct message *message; /* MESSAGE_LAUNCH or MESSAGE_LAUNCH_PROXIED */
	const int *descriptors;        /* that came with it */
	unsigned count;
	struct service_settings *settings;
	uint32_t service;       /* its number in the newest generation; SERVICE_IS_NEW: none */
	uint64_t frontend;      /* the present one's number, the upper half of its sessions' */
	unsigned process_limit; /* of all services; 0: none */
};

/* Takes a launch with its descriptors. The frontend is told when it can't be. Returns the reason
 * to distrust the frontend, or NULL. */
const char *launch_request_take(const struct launch_request *request)
	__attribute__((warn_unused_result));

/* A launch whose descriptors are lost, as the monitor has no room for them: it has failed. */
void launch_request_fail(const struct launch_message *launch);

/* Another reload is pending: programs of services that it removes are counted from 0 again. */
void launch_requests_forget_removed(void);

#endif
