#include "server/intercept.h"

#include "admission/packet_filter.h"
#include "base/log.h"
#include "config/settings.h"
#include "handlers/redirect.h"
#include "server/filter_hosts.h"
#include "server/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFUSED_PER_TURN = 32 };

bool intercepts_streams(const struct service_settings *settings)
{
	return (settings->flags & FLAG_INTERCEPT) && service_is_stream(settings);
}

bool intercepts_datagrams(const struct service_settings *settings)
{
	return (settings->flags & FLAG_INTERCEPT) && !service_is_stream(settings);
}

int intercept_prepare(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

int intercept_update(int fd, const struct service *service)
{
	struct access_list only_from = filter_hosts_resolve(service->filter_hosts,
							    &service->settings->only_from);
	struct access_list no_access = filter_hosts_resolve(service->filter_hosts,
							    &service->settings->no_access);
	struct sock_filter *instructions = calloc(BPF_MAXINSNS, sizeof *instructions);
	struct sock_fprog program = { .filter = instructions };
	int result;

	errno = ENOMEM;
	if (instructions && only_from.rules && no_access.rules) {
		program.len = (unsigned short)packet_filter_build(&only_from, &no_access,
								  instructions, BPF_MAXINSNS);
		errno = E2BIG;
	}
	result = program.len == 0 ? -1 : setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
						   &program, sizeof program);
	free(instructions);
	free(only_from.rules);
	free(no_access.rules);
	return result;
}

int intercept_open_refused(const struct endpoint *endpoint, const struct service *service)
{
	const struct service_settings *settings = service->settings;
	const struct address *address = &endpoint->address;
	int v6only = endpoint->v6only;
	int fd = socket(address->any.sa_family, settings->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK,
			settings->protocol_number);

	if (fd < 0)
		return -1;
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
	if (intercept_prepare(fd) == 0 && bind(fd, &address->any, address->length) == 0 &&
	    intercept_update(fd, service) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct listener *inner_listener(const struct session *session)
{
	struct listener *listener;

	LIST_FOREACH(listener, &session->service->listeners, link)
		if (listener->is_inner && listener_is_open(listener))
			return listener;
	return NULL;
}

static int let_in(struct session *session, int fd)
{
	struct listener *inner = inner_listener(session);
	struct address own;

	errno = EAGAIN;
	if (!inner || address_parse(&own, "127.0.0.1", 0) < 0 ||
	    bind(fd, &own.any, own.length) < 0 || address_of_socket(fd, &own) < 0)
		return -1;
	gate_add(&inner->gate, address_port(&own));
	return gate_attach(&inner->gate, inner->watch.fd);
}

static void let_in_no_more(struct session *session, int fd)
{
	struct listener *inner = inner_listener(session);
	struct address own;

	if (!inner || address_of_socket(fd, &own) < 0)
		return;
	gate_remove(&inner->gate, address_port(&own));
	if (gate_attach(&inner->gate, inner->watch.fd) < 0) {
		log_failure(errno, "service %s: INTERCEPT", session->settings->id);
		listener_close(inner); /* nobody rather than anybody */
	}
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
