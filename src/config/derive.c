#include "config/derive.h"

#include <netinet/in.h>
#include <stdlib.h>
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
	struct program_settings *program = service->program;
	const struct strings *command = &program->end_command;

	if (command->count == 0)
		return;
	program->end_argv =
		arena_take(&service->arena, (command->count + 1) * sizeof *program->end_argv);
	if (!program->end_argv)
		return;
	memcpy(program->end_argv, command->list, command->count * sizeof *program->end_argv);
	program->end_argv[0] = base_name(command->list[0]);
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

static bool has_session_variables(const struct service_settings *service)
{
	return service->program->session_env || service->program->end_command.count > 0;
}

static bool has_balancer_variables(const struct service_settings *service)
{
	return service_is_proxied(service) || service_is_multiplexed(service);
}

static bool is_the_daemons(const struct service_settings *service, const char *variable)
{
	const bool applies[] = {
		[ALWAYS] = true,
		[WITH_SESSION] = has_session_variables(service),
		[WITH_BALANCER] = has_balancer_variables(service),
	};

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
	const struct program_settings *program = service->program;

	if (is_the_daemons(service, variable) ||
	    list_has_variable(program->env.list, program->env.count, variable))
		return false;
	return !program->passenv.is_set ||
	       list_has_variable(program->passenv.list, program->passenv.count, variable);
}

static size_t list_length(char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

/* The variables of the daemon's own environment that passenv permits, then those of env;
 * for one name the later value is used. Returns how many, and in *passed the former. */
static size_t gather_environment(const struct service_settings *service, char **list,
				 size_t *passed)
{
	const struct program_settings *program = service->program;
	size_t count = 0;

	for (char **variable = environ; *variable; variable++)
		if (variable_passes(service, *variable))
			list[count++] = *variable;
	*passed = count;
	for (size_t i = 0; i < program->env.count; i++)
		if (!is_the_daemons(service, program->env.list[i]) &&
		    !list_has_variable(program->env.list + i + 1, program->env.count - i - 1,
				       program->env.list[i]))
			list[count++] = program->env.list[i];
	list[count] = NULL;
	return count;
}

/* The environment of all services that have neither env nor passenv, and the same variables
 * of the daemon's. It is kept for good, and so is one for each environment that the daemon
 * itself had: programs don't change theirs, but tests do. */
struct plain_environment {
	struct plain_environment *next;
	bool has_session, has_balancer;
	size_t own_count, count;
	char **list; /* after own */
	char *own[]; /* the daemon's when it was made */
};

static struct plain_environment *plain_environments;

static struct plain_environment *plain_find(const struct service_settings *service,
					    size_t own_count)
{
	struct plain_environment *each = plain_environments;

	while (each && (each->has_session != has_session_variables(service) ||
			each->has_balancer != has_balancer_variables(service) ||
			each->own_count != own_count ||
			memcmp(each->own, environ, own_count * sizeof *environ) != 0))
		each = each->next;
	return each;
}

/* NULL when memory runs out. */
static struct plain_environment *plain_new(const struct service_settings *service, size_t own_count)
{
	struct plain_environment *plain =
		malloc(sizeof *plain + (2 * own_count + 1) * sizeof *plain->own);

	if (!plain)
		return NULL;
	plain->has_session = has_session_variables(service);
	plain->has_balancer = has_balancer_variables(service);
	plain->own_count = own_count;
	memcpy(plain->own, environ, own_count * sizeof *environ);
	plain->list = plain->own + own_count;
	plain->count = gather_environment(service, plain->list, &plain->count);
	plain->next = plain_environments;
	plain_environments = plain;
	return plain;
}

static void derive_environment(struct service_settings *service)
{
	struct program_settings *program = service->program;
	size_t own_count = list_length(environ);

	if (program->env.count == 0 && !program->passenv.is_set) {
		struct plain_environment *plain = plain_find(service, own_count);

		if (!plain)
			plain = plain_new(service, own_count);
		service->arena.failed |= !plain;
		program->environment = plain ? plain->list : NULL;
		program->environment_count = plain ? plain->count : 0;
		program->environment_passed = program->environment_count;
		return;
	}
	program->environment = arena_take(&service->arena, (own_count + program->env.count + 1) *
								   sizeof *program->environment);
	if (program->environment)
		program->environment_count = gather_environment(service, program->environment,
								&program->environment_passed);
}

void derive_launch(struct service_settings *service)
{
	derive_argv(service);
	derive_end_argv(service);
	derive_environment(service);
}
