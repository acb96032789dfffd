#include "config/check.h"

#include "config/attributes.h"
#include "config/bounds.h"
#include "config/check_privileges.h"
#include "config/check_jail.h"
#include "config/derive.h"
#include "config/placeholders.h"

#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The check of one service. */
struct check {
	struct service_settings *service;
	const struct port_map *ports;
	bool (*internal_exists)(const char *name, int socket_type);
	struct problems *problems;
	bool is_whole;     /* no line of the entry was left out */
	bool knows_socket; /* socket type and protocol are known */
	bool failed;
};

static void complain(struct check *check, enum severity severity, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct check *check, enum severity severity, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	check->failed |= severity == ERROR;
	problem_add(check->problems, severity, check->service->file, check->service->line,
		    "service %s: %s", check->service->id, text);
}

/* Where an inherited value is set, as the end of a message; "" for a value of the
 * service's own entry. */
static const char *origin(const struct check *check, const char *attribute,
			  char text[static ORIGIN_SIZE])
{
	return inherited_from(check->service, ATTRIBUTE(attribute), text);
}

/* The missing attribute may be in a line that was left out, which was reported. */
static void require(struct check *check, bool is_there, const char *what)
{
	if (!is_there && check->is_whole)
		complain(check, ERROR, "%s is missing", what);
}

/* --- what the service needs ------------------------------------------------------------- */

static bool protocol_is(const struct service_settings *service, const char *name)
{
	return service->protocol && strcasecmp(service->protocol, name) == 0;
}

static void check_protocol(struct check *check)
{
	struct service_settings *service = check->service;

	derive_socket(service);
	if (!service->socket_type)
		require(check, false,
			service->protocol ? "socket_type" : "socket_type or protocol");
	else if (!service->protocol)
		require(check, false, "protocol");
	else if ((protocol_is(service, "tcp") && service->socket_type != SOCK_STREAM) ||
		 (protocol_is(service, "udp") && service->socket_type != SOCK_DGRAM))
		complain(check, ERROR,
			 "socket_type and protocol do not go together: tcp is "
			 "stream, udp is dgram");
	else
		check->knows_socket = true;
}

static void check_listed_port(struct check *check)
{
	struct service_settings *service = check->service;
	int listed = port_map_find(check->ports, service->name, service->protocol);

	if (listed < 0 && port_map_lost(check->ports))
		complain(check, ERROR,
			 "the port of %s/%s is not known, as the port map %s can't be "
			 "used",
			 service->name, service->protocol, port_map_lost(check->ports));
	else if (listed < 0)
		complain(check, ERROR,
			 "%s/%s is not in the port map; write type = UNLISTED and a "
			 "port, or add it to the map",
			 service->name, service->protocol);
	else if (service->port >= 0 && service->port != listed)
		complain(check, ERROR,
			 "the port map has port %d for %s/%s, not %d; remove port, or "
			 "write type = UNLISTED",
			 listed, service->name, service->protocol, service->port);
	service->port = listed;
}

static void check_port(struct check *check)
{
	struct service_settings *service = check->service;

	if (service_is_multiplexed(service) || (service->types & TYPE_RPC))
		service->port = 0;
	else if (service->types & TYPE_UNLISTED)
		require(check, service->port >= 0, "port (the service is UNLISTED)");
	else if (service->protocol && check->is_whole)
		check_listed_port(check);
}

/* --- the rules ------------------------------------------------------------------------ */

static void check_internal(struct check *check)
{
	struct service_settings *service = check->service;

	if (service->flags & FLAG_NAMEINARGS)
		complain(check, ERROR, "NAMEINARGS makes no sense for an INTERNAL service");
	if (service->flags & FLAG_SENSOR)
		return;
	if (check->knows_socket && !check->internal_exists(service->name, service->socket_type))
		complain(check, ERROR, "there is no internal service %s/%s", service->name,
			 service->protocol);
}

static void check_external(struct check *check)
{
	struct service_settings *service = check->service;

	require(check, service->user, "user");
	require(check, service->server, "server");
	if ((service->flags & FLAG_NAMEINARGS) && service->server_args.count == 0)
		complain(check, ERROR,
			 "NAMEINARGS needs server_args, the first of which is the name");
	if (check->knows_socket && service->socket_type == SOCK_DGRAM && service->wait == 0 &&
	    !service_is_multiplexed(service))
		complain(check, ERROR,
			 "a dgram service with a server needs wait = yes: the server "
			 "takes the socket itself");
}

static void check_redirect(struct check *check)
{
	const struct service_settings *service = check->service;

	if (service->socket_type != SOCK_STREAM)
		complain(check, ERROR, "redirect is for stream services");
	if (service->wait == 1)
		complain(check, ERROR, "redirect needs wait = no");
	if (service->flags & FLAG_NAMEINARGS)
		complain(check, ERROR, "redirect has no arguments: NAMEINARGS makes no sense");
}

static void check_multiplexed(struct check *check)
{
	const struct service_settings *service = check->service;

	if (!(service->types & TYPE_UNLISTED))
		complain(check, ERROR, "a TCPMUX service needs UNLISTED in its type");
	if (!protocol_is(service, "tcp"))
		complain(check, ERROR, "a TCPMUX service needs protocol = tcp");
	if (service->wait == 1)
		complain(check, ERROR, "a TCPMUX service needs wait = no");
}

static void check_labeled(struct check *check)
{
	const struct service_settings *service = check->service;

#ifndef HAVE_LIBSELINUX
	complain(check, ERROR, "LABELED is not in this build: it needs libselinux");
#endif
	if (service_is_internal(service) || service->redirect_host)
		complain(check, ERROR, "LABELED is for services with a server");
	if (service->socket_type != SOCK_STREAM || service->wait == 1)
		complain(check, ERROR, "LABELED is for stream services with wait = no");
}

static bool has_access_list(const struct service_settings *service)
{
	return service->admission->only_from.is_set || service->admission->no_access.is_set;
}

static void clear_userid(struct check *check, enum severity severity, const char *why)
{
	struct service_settings *service = check->service;
	bool of_success = service->log_on_success & LOG_FLAG_USERID;
	char where[ORIGIN_SIZE];

	if (!of_success && !(service->log_on_failure & LOG_FLAG_USERID))
		return;
	complain(check, severity, "USERID has no effect here: %s%s", why,
		 origin(check, of_success ? "log_on_success" : "log_on_failure", where));
	service->log_on_success &= ~(unsigned)LOG_FLAG_USERID;
	service->log_on_failure &= ~(unsigned)LOG_FLAG_USERID;
}

enum { IDENT_PORT = 113 };

/* Clears flags that have no effect, as xinetd does, with a message. */
static void clear_useless_flags(struct check *check)
{
	struct service_settings *service = check->service;

	if ((service->flags & FLAG_INTERCEPT) &&
	    (service_is_internal(service) || service->wait != 1)) {
		complain(check, WARNING,
			 "INTERCEPT is only for wait = yes with a server; it has no "
			 "effect here");
		service->flags &= ~(unsigned)FLAG_INTERCEPT;
	}
	if (service->socket_type != SOCK_STREAM || service->wait == 1)
		clear_userid(check, ADVICE, "it is for stream services with wait = no");
	if (service->port == IDENT_PORT && protocol_is(service, "tcp"))
		clear_userid(check, WARNING,
			     "two hosts with ident servers would ask each other again and again");
}

/* What a filter of the kernel can't have: a domain, which has no addresses, and more rules
 * than fit. */
static void check_filter(struct check *check)
{
	struct admission_settings *admission = check->service->admission;
	size_t size =
		access_list_size(&admission->only_from) + access_list_size(&admission->no_access);

	if (access_list_has_domain(&admission->only_from) ||
	    access_list_has_domain(&admission->no_access))
		complain(check, ERROR,
			 "INTERCEPT of datagrams can't check whether a host is in a domain; write "
			 "host names or addresses in only_from and no_access");
	if (size > FILTER_RULES_MAX)
		complain(check, ERROR,
			 "INTERCEPT of datagrams takes at most %d addresses and names in only_from "
			 "and no_access, and there are %zu",
			 FILTER_RULES_MAX, size);
	else if (!access_list_flatten(&admission->only_from) ||
		 !access_list_flatten(&admission->no_access))
		complain(check, ERROR, "only_from and no_access do not fit in memory");
}

static void check_access(struct check *check)
{
	const struct service_settings *service = check->service;
	char where[ORIGIN_SIZE];

	if (service->socket_type == SOCK_STREAM && service_waits(service) &&
	    has_access_list(service) && !(service->flags & FLAG_INTERCEPT))
		complain(check, ERROR,
			 "only_from and no_access can't be kept with wait = yes, as the "
			 "server accepts its clients itself; use wait = no, or flags = INTERCEPT%s",
			 origin(check,
				service->admission->only_from.is_set ? "only_from" : "no_access",
				where));
	if ((service->flags & FLAG_INTERCEPT) && service->socket_type == SOCK_DGRAM)
		check_filter(check);
}

/* Whether a client is a balancer is decided by its address alone. */
static void check_balancers(struct check *check)
{
	const struct access_list *balancers = &check->service->admission->proxy_from;
	char where[ORIGIN_SIZE];

	if (access_list_size(balancers) == 0 && (balancers->is_set || check->is_whole))
		complain(check, ERROR,
			 "proxy_protocol needs proxy_from, the addresses of the balancers%s",
			 origin(check, "proxy_from", where));
	if (access_list_wants_names(balancers))
		complain(check, ERROR,
			 "proxy_from has a host name; write the addresses of the balancers%s",
			 origin(check, "proxy_from", where));
}

static void check_proxied(struct check *check)
{
	const struct service_settings *service = check->service;

	check_balancers(check);
	if (service_is_multiplexed(service))
		complain(check, ERROR,
			 "proxy_protocol is not for a TCPMUX service: the tcpmux service reads the "
			 "header; write it there");
	else if (check->knows_socket && !service_is_stream(service))
		complain(check, ERROR, "proxy_protocol is for stream services");
	else if (service_waits(service) && !(service->flags & FLAG_INTERCEPT))
		complain(check, ERROR,
			 "proxy_protocol can't be kept with wait = yes, as the server accepts its "
			 "clients itself; use wait = no, or flags = INTERCEPT");
	if (service->flags & FLAG_LABELED)
		complain(check, ERROR,
			 "proxy_protocol and LABELED do not go together: the label would be the "
			 "balancer's");
	if (service->flags & FLAG_IDONLY)
		complain(check, ERROR,
			 "proxy_protocol and IDONLY do not go together: no ident server is asked "
			 "about a client of a balancer");
	clear_userid(check, WARNING, "no ident server is asked about a client of a balancer");
}

static void check_send_proxy(struct check *check)
{
	const struct service_settings *service = check->service;

	if (service->send_proxy && (!service->redirect_host || service_is_internal(service)))
		complain(check, ERROR, "send_proxy is for redirect; remove it");
}

static void check_rpc(struct check *check)
{
	struct service_settings *service = check->service;

#ifdef HAVE_LIBTIRPC
	const struct rpcent *program = getrpcbyname(service->name);

	require(check, service->rpc_version_first, "rpc_version");
	if (service->types & TYPE_UNLISTED)
		require(check, service->rpc_number, "rpc_number (the service is UNLISTED)");
	else if (!program)
		complain(check, ERROR,
			 "there is no RPC program %s in /etc/rpc; write type = RPC "
			 "UNLISTED and rpc_number",
			 service->name);
	else
		service->rpc_number = (unsigned long)program->r_number;
#else
	(void)service;
	complain(check, ERROR, "RPC is not in this build: it needs libtirpc");
#endif
}

static bool is_redirect(const struct service_settings *service)
{
	return service->redirect_host && !service_is_internal(service);
}

static void check_traffic(struct check *check)
{
	const struct service_settings *service = check->service;
	char where[ORIGIN_SIZE];

	if ((service->log_on_success & LOG_FLAG_TRAFFIC) && !is_redirect(service) &&
	    !service_hands_connections(service))
		complain(
			check, ERROR,
			"TRAFFIC is only for redirect and for programs of TCP services with wait = "
			"no; remove it from log_on_success%s",
			origin(check, "log_on_success", where));
}

/* A flag about programs. */
static void check_program_flag(struct check *check, unsigned flag, const char *word)
{
	const struct service_settings *service = check->service;
	char where[ORIGIN_SIZE];

	if ((service->log_on_success & flag) && !service_starts_program(service))
		complain(check, ERROR,
			 "%s is only for services with a server; remove it from log_on_success%s",
			 word, origin(check, "log_on_success", where));
}

/* True for services that the frontend serves itself, in connections that last as long as the client
 * likes. */
static bool lasts_in_loop(const struct service_settings *service)
{
	static const char *const names[] = { "echo", "discard", "chargen" };

	if (!service_is_stream(service) || (service->flags & FLAG_SENSOR))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (service_is_internal(service) && strcasecmp(service->name, names[i]) == 0)
			return true;
	return is_redirect(service);
}

static void check_connection_ends(struct check *check)
{
	const struct service_settings *service = check->service;
	bool hands_over = service_hands_connections(service);

	if (service->idle_timeout > 0 && !hands_over && !lasts_in_loop(service))
		complain(check, ERROR,
			 "idle_timeout is for redirect, for programs of TCP services with wait = "
			 "no, and for stream services echo, discard and chargen; remove it");
	if (service->lingering_close > 0 && !hands_over && !is_redirect(service))
		complain(check, ERROR,
			 "lingering_close is for redirect and for programs of TCP services with "
			 "wait = no; remove it");
	if (service->kill_on_disconnect && !hands_over)
		complain(check, ERROR,
			 "kill_on_disconnect is for programs of TCP services with wait = no; "
			 "remove it");
}

static void check_pty(struct check *check)
{
	if (check->service->pty && !service_hands_connections(check->service))
		complain(check, ERROR,
			 "pty is for programs of TCP services with wait = no; remove it");
}

/* True for a service whose sessions may last. */
static bool has_lasting_sessions(const struct service_settings *service)
{
	return service_starts_program(service) || lasts_in_loop(service) ||
	       (service_is_internal(service) && service_is_stream(service) &&
		strcasecmp(service->name, "tcpmux") == 0);
}

static void check_ends(struct check *check)
{
	const struct service_settings *service = check->service;

	if (service->start_timeout > 0 && service_is_internal(service) &&
	    !service_is_stream(service))
		complain(check, ERROR,
			 "start_timeout is for connections, and not for datagrams that the "
			 "daemon answers; remove it");
	if (service->max_runtime > 0 && !has_lasting_sessions(service))
		complain(check, ERROR,
			 "max_runtime is for services with a server, redirect, and the stream "
			 "services echo, discard, chargen and tcpmux; remove it");
	if (service->program->end_command.count > 0 && !service_starts_program(service))
		complain(check, ERROR, "end_command is for services with a server; remove it");
	if (service->program->end_command.count > 0 && (service->flags & FLAG_LABELED))
		complain(check, ERROR,
			 "end_command has no connection, so LABELED has no label for it: remove "
			 "one of them");
	if (service->program->session_env && !service_starts_program(service))
		complain(check, ERROR, "session_env is for services with a server; remove it");
	if (service->placeholders && !service_starts_program(service))
		complain(check, ERROR, "placeholders is for services with a server; remove it");
	if (service->kill_timeout > 0 && !service_starts_program(service))
		complain(check, ERROR, "kill_timeout is for services with a server; remove it");
}

/* processes_at_exit may be in defaults, so it is no error in a service without a server. */
static void check_tree(struct check *check)
{
	const struct service_settings *service = check->service;
	const char *limit = service->program->memory      ? "memory"
			    : service->program->processes ? "processes"
							  : "cpu";

	if (service_has_cgroup_limits(service) && !service_starts_program(service))
		complain(check, ERROR, "%s is for services with a server; remove it", limit);
}

/* With wait = yes the server accepts its clients itself, and tcpmux accepts a client before it
 * knows the service. */
static void check_proof_of_work(struct check *check)
{
	const struct service_settings *service = check->service;

	if (!service->admission->proof_of_work && service->admission->proof_of_work_time > 0 &&
	    check->is_whole)
		complain(check, ERROR,
			 "proof_of_work_time has no meaning without proof_of_work; add that, or "
			 "remove it");
	if (!service->admission->proof_of_work)
		return;
	if (service_is_multiplexed(service))
		complain(check, ERROR,
			 "proof_of_work is not for a TCPMUX service; write it in the entry of "
			 "tcpmux, for all of them");
	else if (check->knows_socket && (!service_is_stream(service) || service->wait == 1))
		complain(check, ERROR, "proof_of_work is for stream services with wait = no");
	if (service->flags & FLAG_SENSOR)
		complain(check, ERROR,
			 "proof_of_work is not for a SENSOR, which serves nobody; remove it");
}

/* Root owns the files that other users must not read, so it can read them without capabilities
 * too. */
static void check_preset(struct check *check)
{
	const struct service_settings *service = check->service;

	if (!service_starts_program(service))
		complain(check, ERROR, "preset is for services with a server; remove it");
	else if (service->user && service->uid == 0)
		complain(check, ERROR,
			 "preset = jail can't confine root, who owns the system's files; choose "
			 "another user");
}

/* Notes which placeholders a text has. Returns how many bytes it can get, with the NUL; 0: it has
 * none. */
static size_t note_placeholders(struct service_settings *service, const char *text)
{
	unsigned found = placeholders_in(text);

	service->placeholders_used |= found;
	return found ? placeholders_most(text, service->account ? service->account : "") + 1 : 0;
}

static size_t note_all_placeholders(struct service_settings *service)
{
	const struct program_settings *program = service->program;
	const struct strings *lists[] = { &service->server_args, &program->env,
					  &program->end_command, &program->scratch };
	size_t length = 0;

	if (program->directory)
		length += note_placeholders(service, program->directory);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			length += note_placeholders(service, lists[i]->list[j]);
	return length;
}

static void check_placeholders(struct check *check)
{
	size_t length = note_all_placeholders(check->service);

	if (length > PLACEHOLDERS_TEXT_MAX)
		complain(check, ERROR,
			 "the texts with placeholders can get %zu bytes long, and may have %d; "
			 "write shorter ones",
			 length, PLACEHOLDERS_TEXT_MAX);
}

static void check_privileges(struct check *check)
{
	char text[PRIVILEGES_TEXT_SIZE];

	if (check->is_whole && privileges_fault(check->service, text))
		complain(check, ERROR, "%s", text);
}

static void check_families(struct check *check)
{
	char where[ORIGIN_SIZE];

	if (check->service->v6only && service_allowed_families(check->service) == FLAG_IPV4)
		complain(check, ERROR, "v6only = yes and flags = IPv4 leave no clients at all%s",
			 origin(check, "v6only", where));
}

static void settle_balancers(struct service_settings *service)
{
	struct access_list nobody = { 0 };

	access_lists_settle(&service->admission->proxy_from, &nobody);
	access_list_clear(&nobody);
}

bool check_service(struct service_settings *service, bool is_whole, const struct port_map *ports,
		   bool (*internal_exists)(const char *name, int socket_type),
		   struct problems *problems)
{
	struct check check = {
		.service = service,
		.ports = ports,
		.internal_exists = internal_exists,
		.problems = problems,
		.is_whole = is_whole,
	};

	if (service->flags & FLAG_SENSOR) {
		if (!service_is_internal(service))
			require(&check, service->server, "server (or type = INTERNAL)");
		service->types |= TYPE_INTERNAL;
	}
	check_protocol(&check);
	require(&check, service->wait >= 0, "wait");
	check_port(&check);
	if (service_is_internal(service))
		check_internal(&check);
	else if (service->redirect_host)
		check_redirect(&check);
	else
		check_external(&check);
	if (service_is_multiplexed(service))
		check_multiplexed(&check);
	if (service->types & TYPE_RPC)
		check_rpc(&check);
	if (service->flags & FLAG_LABELED)
		check_labeled(&check);
	check_traffic(&check);
	check_program_flag(&check, LOG_FLAG_RUSAGE, "RUSAGE");
	check_program_flag(&check, LOG_FLAG_SESSION, "SESSION");
#ifndef HAVE_LIBWRAP
	if (service->admission->libwrap)
		complain(&check, ERROR, "libwrap is not in this build: it needs libwrap (tcpd.h)");
#endif
	check_families(&check);
	check_connection_ends(&check);
	check_pty(&check);
	check_ends(&check);
	check_tree(&check);
	check_proof_of_work(&check);
	if (service->preset == PRESET_JAIL)
		check_preset(&check);
	check_privileges(&check);
	check.failed |= !check_jail(service, problems);
	clear_useless_flags(&check);
	check_access(&check);
	if (service_is_proxied(service))
		check_proxied(&check);
	check_send_proxy(&check);
	access_lists_settle(&service->admission->only_from, &service->admission->no_access);
	settle_balancers(service);
	if (!check.failed && service->placeholders)
		check_placeholders(&check);
	if (!check.failed && service->server && service_starts_program(service))
		derive_launch(service);
	if (!check.failed)
		derive_jail(service);
	return !check.failed && !service->arena.failed;
}
