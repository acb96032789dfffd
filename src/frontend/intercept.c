#include "frontend/intercept.h"

#include "config/generation.h"
#include "frontend/ask.h"
#include "frontend/filter_hosts.h"
#include "frontend/service.h"
#include "handlers/redirect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFUSED_PER_TURN = 32 };

int intercept_update(int fd, const struct service *service)
{
	const struct service_settings *settings = service->settings;
	struct access_list only_from =
		filter_hosts_resolve(service->filter_hosts, &settings->admission->only_from);
	struct access_list no_access =
		filter_hosts_resolve(service->filter_hosts, &settings->admission->no_access);
	int result = -1;

	errno = ENOMEM;
	if (only_from.rules && no_access.rules)
		result = intercept_filter(fd, &only_from, &no_access);
	free(only_from.rules);
	free(no_access.rules);
	return result;
}

static void *let_in(struct session *session, int fd, void (*done)(void *context, int error),
		    void *context)
{
	struct address own;

	errno = EAGAIN;
	if (session->service->number == SERVICE_IS_NEW || address_parse(&own, "127.0.0.1", 0) < 0 ||
	    bind(fd, &own.any, own.length) < 0 || address_of_socket(fd, &own) < 0)
		return NULL;
	return ask_let_in(session->service, address_port(&own), done, context);
}

static void let_in_no_more(struct session *session, int fd, void *opening)
{
	struct address own;

	if (opening)
		ask_cancel(opening);
	if (address_of_socket(fd, &own) == 0)
		ask_let_out(session->service, address_port(&own));
}

const struct redirect_gate intercept_gate = { .open = let_in, .close = let_in_no_more };

void intercept_take_refused(int fd, struct service *service,
			    void (*refused)(struct service *service, const struct address *peer))
{
	for (int taken = 0; taken < REFUSED_PER_TURN; taken++) {
		struct sockaddr_storage storage;
		socklen_t length = sizeof storage;
		struct address peer;
		char byte;

		if (recvfrom(fd, &byte, sizeof byte, MSG_DONTWAIT, (struct sockaddr *)&storage,
			     &length) < 0)
			return;
		peer = address_from_sockaddr((struct sockaddr *)&storage, length);
		refused(service, &peer);
	}
}
