#include "monitor/launch_requests.h"

#include "admission/intercept.h"
#include "config/generation.h"
#include "monitor/binder.h"
#include "monitor/children.h"
#include "monitor/frontend_process.h"
#include "monitor/launch_check.h"
#include "monitor/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static unsigned launched_removed; /* programs of services that the pending reload removes */

/* How the client came through a balancer; NULL: it did not. */
static const struct proxied *proxied_of(const struct launch_request *request)
{
	return request->message->kind == MESSAGE_LAUNCH_PROXIED
		       ? &request->message->proxied_launch.proxied
		       : NULL;
}

/* What is wrong with it; NULL: nothing, and *local is the connection's own address. */
static const char *fault_of(const struct launch_request *request, struct address *local)
{
	const struct launch_message *launch = &request->message->launch;
	const struct proxied *proxied = proxied_of(request);
	const char *fault = proxied ? proxied_fault(launch, proxied) : NULL;

	if (fault)
		return fault;
	if (launch->session >> 32 != request->frontend)
		return "a launch of a session that is not its own";
	if (launcher_has(launch->session) || child_of_session(launch->session))
		return "a launch of a session that there is";
	return launch_fault(launch, request->descriptors, request->count, local);
}

/* How many servers a service with INTERCEPT may have: one, and those whose sockets reloads
 * have closed. Its instances are clients, which the frontend passes on to them. */
enum { INTERCEPT_SERVERS_MAX = 8 };

static unsigned instances_of(const struct service_settings *settings)
{
	return intercepts_streams(settings) ? INTERCEPT_SERVERS_MAX
					    : settings->admission->instances;
}

/* All services that a reload removes are counted together, from the reload on. */
static bool has_room(uint32_t service, const struct service_settings *settings)
{
	if (service == SERVICE_IS_NEW)
		return launched_removed < instances_of(settings);
	return children_have_room(service, instances_of(settings));
}

/* INTERCEPT servers are exempt: their clients are admitted already. */
static bool is_within_limit(const struct launch_request *request)
{
	return request->process_limit == 0 || intercepts_streams(request->settings) ||
	       children_counted() < request->process_limit;
}

/* Why the service may start no more programs; NULL: it may. A correct frontend knows what is
 * counted here, except pending launches of an earlier frontend. */
static const char *excess_of(const struct launch_request *request)
{
	if (!has_room(request->service, request->settings))
		return "as many run as instances allows";
	return is_within_limit(request) ? NULL : "as many run as -limit allows";
}

/* A copy of the socket that a wait server gets. */
static int wait_socket(const struct launch_message *launch, const struct service_settings *settings)
{
	struct bind_message which = {
		.type = settings->socket_type,
		.protocol = settings->protocol_number,
		.address = launch->socket,
		.v6only = launch->v6only,
		.is_inner = launch->is_inner,
	};
	int socket = binder_socket(launch->service.service, &which);

	errno = EBADF;
	return socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

static void launch(const struct launch_request *request, const struct address *local)
{
	struct launch_message order = request->message->launch;
	struct launch_descriptors given = { -1, -1, -1, *local };
	unsigned own = order.waits ? 0 : 1;

	order.service.service = request->service;
	launched_removed += request->service == SERVICE_IS_NEW;
	given.connection = own ? request->descriptors[0] : wait_socket(&order, request->settings);
	if (!own && given.connection >= 0)
		address_of_socket(given.connection, &given.local);
	if (order.logs_errors) {
		given.errors_to = request->descriptors[own];
		given.errors_from = request->descriptors[own + 1];
	}
	launcher_launch(request->settings, &order, proxied_of(request), &given);
}

static void not_launched(uint64_t session, const char *step, const char *reason)
{
	struct message message = { .kind = MESSAGE_NOT_STARTED,
				   .program = { .session = session, .no_process = true } };

	strncpy(message.program.step, step, sizeof message.program.step - 1);
	strncpy(message.program.reason, reason, sizeof message.program.reason - 1);
	frontend_process_send(&message, NULL, 0);
}

static void launch_or_refuse(const struct launch_request *request, const struct address *local)
{
	const struct launch_message *message = &request->message->launch;
	const char *mismatch = launch_mismatch(message, proxied_of(request) != NULL,
					       request->descriptors, request->settings);
	const char *excess = mismatch ? NULL : excess_of(request);

	if (!mismatch && !excess) {
		launch(request, local);
		return;
	}
	channel_close_descriptors(request->descriptors, request->count);
	not_launched(message->session, excess ? "limit" : "settings", excess ? excess : mismatch);
}

void launch_request_fail(const struct launch_message *launch)
{
	not_launched(launch->session, "descriptors", strerror(EMFILE));
}

const char *launch_request_take(const struct launch_request *request)
{
	struct address local = { 0 };
	const char *fault = fault_of(request, &local);

	if (fault)
		channel_close_descriptors(request->descriptors, request->count);
	else
		launch_or_refuse(request, &local);
	return fault;
}

void launch_requests_forget_removed(void)
{
	launched_removed = 0;
}
