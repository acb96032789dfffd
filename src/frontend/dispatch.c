#include "frontend/dispatch.h"

#include "frontend/ask.h"
#include "frontend/connection.h"
#include "frontend/datagram_queue.h"
#include "frontend/datagrams.h"
#include "frontend/intercept.h"
#include "frontend/service.h"
#include "handlers/launch.h"

static int on_opened(struct listener *listener)
{
	const struct service_settings *settings = listener->settings;

	if (settings->socket_type == SOCK_DGRAM)
		datagrams_prepare(listener->watch.fd, listener->endpoint.address.any.sa_family,
				  !service_waits(settings));
	if (listener->refused.fd >= 0 &&
	    intercept_update(listener->refused.fd, listener->service) < 0)
		return -1;
	service_bound(listener->service);
	return 0;
}

static void on_rested(struct listener *listener)
{
	service_refresh(listener->service);
}

/* False while the service has its share of the programs that are being started, or of
 * descriptors, some of which these programs will soon take over. */
static bool has_room(struct listener *listener)
{
	struct service *service = listener->service;

	if (service->handler != &launch_handler || !launch_is_busy())
		return true;
	return share_allows(launch_shares(), &service->launches, 1) &&
	       share_allows(descriptors_shares(), &service->descriptors,
			    service_descriptors_per_session(service));
}

static void on_connection(struct listener *listener, int fd, const struct address *peer)
{
	connection_accepted(listener->service, fd, peer);
}

static void on_overloaded(struct listener *listener, const struct address *peer)
{
	struct refusal refusal = { .verdict = REFUSED_DESCRIPTORS, .peer = peer };

	service_refused(listener->service, &refusal, NULL);
}

static void on_server_wanted(struct listener *listener)
{
	struct address peer = { .length = 0 };

	if (service_is_stream(listener->settings) || datagram_queue_front(listener, &peer))
		connection_wants_server(listener, &peer);
}

static void on_sender_refused(struct listener *listener)
{
	intercept_take_refused(listener->refused.fd, listener->service, datagrams_refuse);
}

void dispatch_init(void)
{
	static const struct listener_events events = {
		.wanted = ask_bind,
		.unwanted = ask_unbind,
		.opened = on_opened,
		.rested = on_rested,
		.has_room = has_room,
		.connection = on_connection,
		.overloaded = on_overloaded,
		.datagrams = datagrams_serve,
		.server_wanted = on_server_wanted,
		.sender_refused = on_sender_refused,
	};

	listeners_init(&events);
}
