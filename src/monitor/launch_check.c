#include "monitor/launch_check.h"

#include "admission/intercept.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int option_of(int socket, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* No program gets a listening socket or the channel, which has no address that is known. A
 * connection that was reset keeps its port. */
static bool is_connection(int descriptor, struct address *local)
{
	return address_of_socket(descriptor, local) == 0 && address_port(local) != 0 &&
	       option_of(descriptor, SO_ACCEPTCONN) == 0;
}

static bool has_access(int descriptor, int mode)
{
	int flags = fcntl(descriptor, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == mode;
}

static bool are_ends_of_a_pipe(int to, int from)
{
	struct stat in, out;

	return fstat(to, &in) == 0 && fstat(from, &out) == 0 && S_ISFIFO(in.st_mode) &&
	       in.st_dev == out.st_dev && in.st_ino == out.st_ino && has_access(to, O_WRONLY) &&
	       has_access(from, O_RDONLY);
}

const char *launch_fault(const struct launch_message *launch, const int descriptors[],
			 unsigned count, struct address *local)
{
	unsigned own = launch->waits ? 0 : 1;

	if (count != own + (launch->logs_errors ? 2 : 0))
		return "a launch with the wrong descriptors";
	if (own && !is_connection(descriptors[0], local))
		return "a launch on what is no connection";
	if (launch->logs_errors && !are_ends_of_a_pipe(descriptors[own], descriptors[own + 1]))
		return "a launch with a standard error that is no pipe";
	if (!message_address_is_sound(&launch->peer) || !message_address_is_sound(&launch->socket))
		return "a launch with an address that is none";
	return NULL;
}

static bool is_printable_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length < size;
}

static bool are_printable(const struct proxy_facts *facts)
{
	return is_printable_text(facts->unique_id, sizeof facts->unique_id) &&
	       is_printable_text(facts->authority, sizeof facts->authority) &&
	       is_printable_text(facts->ssl_version, sizeof facts->ssl_version) &&
	       is_printable_text(facts->ssl_name, sizeof facts->ssl_name);
}

static bool is_sound_and_known(const struct address *address)
{
	return message_address_is_sound(address) && address_is_known(address);
}

const char *proxied_fault(const struct launch_message *launch, const struct proxied *proxied)
{
	if (launch->waits)
		return "a launch of a server that accepts its clients, for one of a balancer";
	if (!is_sound_and_known(&launch->peer) || !is_sound_and_known(&proxied->proxy) ||
	    !is_sound_and_known(&proxied->local))
		return "a launch with an address that is none";
	return are_printable(&proxied->facts) ? NULL : "a launch with a text that is none";
}

static bool has_program(const struct service_settings *settings)
{
	return settings->server && settings->argv && service_starts_program(settings);
}

/* With INTERCEPT the server gets the inner socket. */
static bool is_the_servers_socket(const struct launch_message *launch,
				  const struct service_settings *settings)
{
	return (launch->is_inner != 0) == intercepts_streams(settings);
}

const char *launch_mismatch(const struct launch_message *launch, bool proxied,
			    const int descriptors[], const struct service_settings *settings)
{
	if (!has_program(settings))
		return "the service has no program";
	if ((launch->waits != 0) != service_waits(settings))
		return "whether the service waits has changed";
	if (launch->waits && !is_the_servers_socket(launch, settings))
		return "the service's INTERCEPT has changed";
	if (!launch->waits && option_of(descriptors[0], SO_TYPE) != settings->socket_type)
		return "the service's socket_type has changed";
	if (proxied && !service_is_proxied(settings) && !service_is_multiplexed(settings))
		return "the service's proxy_protocol has changed";
	if (launch->logs_errors && settings->program->stderr_kind != STDERR_LOG)
		return "the service's stderr has changed";
	return NULL;
}
