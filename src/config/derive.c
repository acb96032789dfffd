#include "config/derive.h"

#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which socket type and which protocol go together. */
static const struct pair {
	int socket_type, number;
	const char *protocol;
} pairs[] = {
	{ SOCK_STREAM, IPPROTO_TCP, "tcp" },
	{ SOCK_DGRAM, IPPROTO_UDP, "udp" },
};

static void complete(struct service_settings *service, const struct pair *pair)
{
	if (!service->protocol && service->socket_type == pair->socket_type) {
		service->protocol = arena_string(&service->arena, pair->protocol);
		service->protocol_number = pair->number;
	}
	if (!service->socket_type && service->protocol &&
	    strcasecmp(service->protocol, pair->protocol) == 0)
		service->socket_type = pair->socket_type;
}

void derive_socket(struct service_settings *service)
{
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		complete(service, &pairs[i]);
}

static char *base_name(char *path)
{
	char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The program's argv: its base name and server_args, or server_args alone. */
static void derive_argv(struct service_settings *service)
{
	bool named = service->flags & FLAG_NAMEINARGS;
	size_t count = 0;

	service->argv = arena_take(&service->arena,
				   (service->server_args.count + 2) * sizeof *service->argv);
	if (!service->argv)
		return;
	if (!named)
		service->argv[count++] = base_name(service->server);
	for (size_t i = 0; i < service->server_args.count; i++)
		service->argv[count++] = service->server_args.list[i];
}

static void derive_end_argv(struct service_settings *service)
{
	const struct strings *command = &service->end_command;

	if (command->count == 0)
		return;
	service->end_argv =
		arena_take(&service->arena, (command->count + 1) * sizeof *service->end_argv);
	if (!service->end_argv)
		return;
	memcpy(service->end_argv, command->list, command->count * sizeof *service->end_argv);
	service->end_argv[0] = base_name(command->list[0]);
}

static bool same_variable(const char *one, const char *other)
{
	size_t length = strcspn(one, "=");

	return strncmp(one, other, length) == 0 && strcspn(other, "=") == length;
}

static bool list_has_variable(char *const *list, size_t count, const char *variable)
{
	for (size_t i = 0; i < count; i++)
		if (same_variable(list[i], variable))
			return true;
	return false;
}

/* Variables that the daemon sets itself. Those of its own environment describe something else,
 * and must not reach the server. */
static const struct {
	const char *beginning;
	enum { ALWAYS, WITH_SESSION, WITH_BALANCER } when;
} own_variables[] = {
	{ "REMOTE_HOST=", ALWAYS },
	{ "REMOTE_ADDR=", ALWAYS },
	{ "REMOTE_PORT=", ALWAYS },
	{ "PROTO=", ALWAYS },
	{ "TCPLOCAL", ALWAYS },
	{ "TCPREMOTE", ALWAYS },
	{ "UDPLOCAL", ALWAYS },
	{ "UDPREMOTE", ALWAYS },
	{ "SESSION_ID=", WITH_SESSION },
	{ "SESSION_SLOT=", WITH_SESSION },
	{ "SESSION_SERVICE=", WITH_SESSION },
	{ "SESSION_STATUS=", WITH_SESSION },
	{ "SESSION_DURATION=", WITH_SESSION },
	{ "SESSION_REASON=", WITH_SESSION },
	{ "PROXY_ADDR=", WITH_BALANCER },
	{ "PROXY_PORT=", WITH_BALANCER },
	{ "PROXY_UNIQUE_ID=", WITH_BALANCER },
	{ "PROXY_AUTHORITY=", WITH_BALANCER },
	{ "PROXY_SSL_VERSION=", WITH_BALANCER },
	{ "PROXY_SSL_CN=", WITH_BALANCER },
};

/* Most variables begin with another letter than any of these. */
static bool may_be_the_daemons(const char *variable)
{
	static bool letters[UCHAR_MAX + 1];
	static bool is_filled;

	for (size_t i = 0; !is_filled && i < sizeof own_variables / sizeof own_variables[0]; i++)
		letters[(unsigned char)*own_variables[i].beginning] = true;
	is_filled = true;
	return letters[(unsigned char)*variable];
}

static bool is_the_daemons(const struct service_settings *service, const char *variable)
{
	const bool applies[] = {
		[ALWAYS] = true,
		[WITH_SESSION] = service->session_env || service->end_command.count > 0,
		[WITH_BALANCER] = service_is_proxied(service) || service_is_multiplexed(service),
	};

	if (!may_be_the_daemons(variable))
		return false;
	for (size_t i = 0; i < sizeof own_variables / sizeof own_variables[0]; i++) {
		const char *beginning = own_variables[i].beginning;

		if (*variable == *beginning && applies[own_variables[i].when] &&
		    strncmp(variable, beginning, strlen(beginning)) == 0)
			return true;
	}
	return false;
}

static bool variable_passes(const struct service_settings *service, const char *variable)
{
	if (is_the_daemons(service, variable) ||
	    list_has_variable(service->env.list, service->env.count, variable))
		return false;
	return !service->passenv.is_set ||
	       list_has_variable(service->passenv.list, service->passenv.count, variable);
}

/* The variables of the daemon's own environment that passenv permits, then those of env;
 * for one name the later value is used. */
static void derive_environment(struct service_settings *service)
{
	size_t most = service->env.count + 1, count = 0;

	for (char **variable = environ; *variable; variable++)
		most++;
	service->environment = arena_take(&service->arena, most * sizeof *service->environment);
	if (!service->environment)
		return;
	for (char **variable = environ; *variable; variable++)
		if (variable_passes(service, *variable))
			service->environment[count++] = *variable;
	for (size_t i = 0; i < service->env.count; i++)
		if (!is_the_daemons(service, service->env.list[i]) &&
		    !list_has_variable(service->env.list + i + 1, service->env.count - i - 1,
				       service->env.list[i]))
			service->environment[count++] = service->env.list[i];
	service->environment_count = count;
}

void derive_launch(struct service_settings *service)
{
	derive_argv(service);
	derive_end_argv(service);
	derive_environment(service);
}
