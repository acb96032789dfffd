#include "frontend/multiplex.h"

#include "frontend/connection.h"
#include "frontend/service.h"
#include "handlers/tcpmux.h"

#include <strings.h>

static struct service *find_multiplexed(const char *name)
{
	struct service *service;

	TAILQ_FOREACH(service, &services, link)
		if (service_is_multiplexed(service->settings) && !service->is_draining &&
		    strcasecmp(service->settings->name, name) == 0)
			return service;
	return NULL;
}

/* The connection moves to the service, which admits it like any other. The handler still
 * owns the session and has to finish it. */
static bool transfer(struct session *session, const char *name)
{
	struct service *service = find_multiplexed(name);

	if (!service)
		return false;
	connection_multiplexed(service, session);
	return true;
}

static void each_name(void (*visit)(const char *name, void *context), void *context)
{
	const struct service *service;

	TAILQ_FOREACH(service, &services, link)
		if (service_is_multiplexed(service->settings) && !service->is_draining)
			visit(service->settings->name, context);
}

void multiplex_init(void)
{
	static const struct tcpmux_callbacks callbacks = {
		.transfer = transfer,
		.each_name = each_name,
	};

	tcpmux_init(&callbacks);
}
