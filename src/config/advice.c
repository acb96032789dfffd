#include "config/advice.h"

#include "base/cgroup_mounts.h"
#include "config/advice_addresses.h"
#include "config/attributes.h"
#include "config/program.h"
#include "config/word.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The service that advice is about. */
struct view {
	const struct service_settings *service;
	struct problems *problems;
};

static struct place place_of(const struct service_settings *service, const char *attribute)
{
	struct place place = { 0 };

	if (service->places)
		place = service->places[ATTRIBUTE(attribute)];
	return place;
}

/* True when the service's own entry sets the attribute. */
static bool is_own(const struct service_settings *service, const char *attribute)
{
	struct place place = place_of(service, attribute);

	return place.file && !place.is_inherited;
}

/* Reports at the line of the service's entry that sets the attribute, or at the entry's
 * first line for an inherited attribute, because it has to be set there. */
static void remark(const struct view *view, const char *attribute, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void remark(const struct view *view, const char *attribute, const char *format, ...)
{
	const struct service_settings *service = view->service;
	struct place place = { service->file, service->line, false };
	char text[1024], where[ORIGIN_SIZE] = "";
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (attribute && is_own(service, attribute))
		place = place_of(service, attribute);
	else if (attribute)
		inherited_from(service, ATTRIBUTE(attribute), where);
	problem_add(view->problems, ADVICE, place.file, place.line, "service %s: %s%s", service->id,
		    text, where);
}

/* --- access ------------------------------------------------------------------------------ */

static bool is_inherited(const struct service_settings *service, const char *file, int line)
{
	return service->file && (file != service->file || line < service->line);
}

/* The rules that the service's own entry adds, not settled. Inherited rules come first, and
 * were reported with defaults; those of files are in a file that the entry names. For
 * defaults: all rules. */
static struct access_list own_rules(const struct service_settings *service,
				    const struct access_list *list)
{
	struct access_list own = *list;

	own.is_settled = false;
	own.index = NULL;
	while (own.count > 0 && is_inherited(service, own.rules->file, own.rules->line)) {
		own.rules++;
		own.count--;
	}
	while (own.set_count > 0 && is_inherited(service, own.sets->file, own.sets->line)) {
		own.sets++;
		own.set_count--;
	}
	return own;
}

static void advise_of_overlap(const struct service_settings *service, struct problems *problems)
{
	const struct access_list *only_from = &service->admission->only_from,
				 *no_access = &service->admission->no_access;
	struct access_list own_from = own_rules(service, only_from);
	struct access_list own_access = own_rules(service, no_access);
	const struct access_rule *allowed, *denied;

	if (access_lists_overlap(&own_from, no_access, &allowed, &denied) ||
	    access_lists_overlap(only_from, &own_access, &allowed, &denied))
		problem_add(problems, ADVICE, denied->file, denied->line,
			    "no_access %s overlaps only_from %s (%s:%d); the more specific one "
			    "decides, a tie denies (xinetd always denies)",
			    denied->text, allowed->text, allowed->file, allowed->line);
}

/* Rules of no_access for hosts that only_from does not admit anyway. */
static void advise_of_idle_denials(const struct service_settings *service,
				   struct problems *problems)
{
	const struct access_list *only_from = &service->admission->only_from;
	struct access_list own = own_rules(service, &service->admission->no_access);

	for (size_t i = 0; only_from->is_set && i < own.count; i++) {
		const struct access_rule *rule = &own.rules[i];

		if (rule->kind == RULE_PREFIX && !access_list_touches(only_from, &rule->prefix))
			problem_add(problems, ADVICE, rule->file, rule->line,
				    "no_access %s never matters, as only_from does not cover it; "
				    "remove it",
				    rule->text);
	}
}

void advise_of_access(const struct service_settings *service, struct problems *problems)
{
	struct access_list own_from = own_rules(service, &service->admission->only_from);
	struct access_list own_access = own_rules(service, &service->admission->no_access);

	advise_of_odd_words(&own_from, problems);
	advise_of_odd_words(&own_access, problems);
	advise_of_overlap(service, problems);
	advise_of_idle_denials(service, problems);
}

static void advise_of_own_access(const struct view *view)
{
	advise_of_access(view->service, view->problems);
}

static void advise_of_bind(const struct view *view)
{
	advise_of_bind_words(view->service, place_of(view->service, "bind"), view->problems);
}

static void advise_of_first_datagram(const struct view *view)
{
	const struct service_settings *service = view->service;
	const char *list = service->admission->only_from.is_set ? "only_from" : "no_access";

	if (service->socket_type != SOCK_STREAM && service_waits(service) &&
	    (service->admission->only_from.is_set || service->admission->no_access.is_set) &&
	    !(service->flags & FLAG_INTERCEPT))
		remark(view, list,
		       "with wait = yes only the sender of the datagram that starts "
		       "the server is checked; flags = INTERCEPT has all of them checked");
}

static bool is_loopback(const char *text)
{
	static const struct prefix loopback = { .family = AF_INET, .length = 8, .bytes = { 127 } };
	struct address address;

	if (address_parse(&address, text, 0) < 0)
		return strcasecmp(text, "localhost") == 0;
	return prefix_holds(&loopback, &address) ||
	       (address.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address.in6.sin6_addr));
}

static bool listens_to_others(const struct service_settings *service)
{
	for (size_t i = 0; i < service->bind.count; i++)
		if (!is_loopback(service->bind.list[i]))
			return true;
	return service->bind.count == 0;
}

static bool admits_everybody(const struct access_list *only_from)
{
	return !only_from->is_set || access_list_has_everybody(only_from);
}

/* A built-in that answers all datagrams, forged ones included. */
static void advise_of_reflection(const struct view *view)
{
	const struct service_settings *service = view->service;

	if (service_is_internal(service) && service->socket_type == SOCK_DGRAM &&
	    !(service->flags & FLAG_SENSOR) && strcasecmp(service->name, "discard") != 0 &&
	    listens_to_others(service) && admits_everybody(&service->admission->only_from))
		remark(view, "bind",
		       "answers datagrams from anywhere, so a forged sender can have "
		       "its replies sent to a victim; set only_from or bind");
}

/* --- what has no effect --------------------------------------------------------------------- */

static void advise_of_deny_time(const struct view *view)
{
	if (is_own(view->service, "deny_time") && !(view->service->flags & FLAG_SENSOR))
		remark(view, "deny_time", "deny_time has no effect without flags = SENSOR");
}

/* A datagram's sender can be forged, to have somebody else banned. */
static void advise_of_datagram_bans(const struct view *view)
{
	const struct service_settings *service = view->service;
	bool has_word = service->flags & FLAG_DGRAMBAN;

	if (has_word && (!(service->flags & FLAG_SENSOR) || service_is_stream(service)))
		remark(view, "flags",
		       "DGRAMBAN has no effect without SENSOR and socket_type = "
		       "dgram");
	else if (has_word && service_bans(service))
		remark(view, "flags",
		       "with DGRAMBAN anybody who forges the sender of a datagram can make all "
		       "services refuse any address; remove the word if senders can be forged in "
		       "your network");
	else if ((service->flags & FLAG_SENSOR) && service->deny_time != 0 &&
		 !service_bans(service))
		remark(view, "deny_time",
		       "a SENSOR for datagrams only logs, as their senders may be "
		       "forged; remove deny_time, or write flags = SENSOR DGRAMBAN");
}

/* Every address in proxy_from can claim any client address. */
static void advise_of_balancers(const struct view *view)
{
	const struct service_settings *service = view->service;

	if (service_is_proxied(service) && admits_everybody(&service->admission->proxy_from))
		remark(view, "proxy_from",
		       "proxy_from has everybody, so any client can claim any address; write the "
		       "addresses of the balancers");
	else if (!service_is_proxied(service) && is_own(service, "proxy_from"))
		remark(view, "proxy_from", "proxy_from has no effect without proxy_protocol");
	else if (!service_is_proxied(service) && is_own(service, "proxy_others"))
		remark(view, "proxy_others", "proxy_others has no effect without proxy_protocol");
}

static void advise_of_idonly(const struct view *view)
{
	if ((view->service->flags & FLAG_IDONLY) &&
	    !(view->service->log_on_success & LOG_FLAG_USERID))
		remark(view, "flags",
		       "IDONLY has no effect without USERID in log_on_success: "
		       "no ident server is asked");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- the server ----------------------------------------------------------------------------- */

static bool has_program(const struct service_settings *service)
{
	return service->server && !service->redirect_host && !service_is_internal(service);
}

static void advise_of_arguments(const struct view *view)
{
	const struct service_settings *service = view->service;
	const char *first = service->server_args.count > 0 ? service->server_args.list[0] : "";
	bool named = service->flags & FLAG_NAMEINARGS;

	if (!has_program(service))
		return;
	if (!named && strcmp(first, base_name(service->server)) == 0)
		remark(view, "server_args",
		       "the server gets its name \"%s\" as its first "
		       "argument; leave the word out, or write flags = NAMEINARGS",
		       first);
	if (named && first[0] == '-')
		remark(view, "server_args",
		       "with NAMEINARGS the server takes \"%s\" for its own "
		       "name, and not for an option; begin server_args with %s",
		       first, base_name(service->server));
}

enum { GROUPS_MAX = 256 };

/* The user that the server runs as: without root's rights, usherd's own user. */
static struct identity identity_of(const struct service_settings *service, gid_t groups[GROUPS_MAX])
{
	struct identity identity = {
		.name = service->user,
		.uid = service->uid,
		.gid = service->gid,
		.groups = groups,
	};
	int count = GROUPS_MAX;

	if (geteuid() != 0) {
		identity.name = "you";
		identity.uid = geteuid();
		identity.gid = getegid();
		count = getgroups(GROUPS_MAX, groups);
	} else if (!service->program->groups ||
		   getgrouplist(service->account, service->gid, groups, &count) < 0) {
		count = 0;
	}
	identity.groups_count = count > 0 ? (size_t)count : 0;
	return identity;
}

static void advise_of_server(const struct view *view)
{
	const struct service_settings *service = view->service;
	char text[OBSTACLE_SIZE];
	gid_t groups[GROUPS_MAX];
	struct identity identity;

	/* Paths and interpreters of another root are not checked. */
	if (!has_program(service) || !service->user || service->program->root)
		return;
	identity = identity_of(service, groups);
	if (program_obstacle(service->server, &identity, text))
		remark(view, "server", "%s; no client will be served before that is corrected",
		       text);
}

static void advise_of_end_command(const struct view *view)
{
	const struct service_settings *service = view->service;
	char text[OBSTACLE_SIZE];
	gid_t groups[GROUPS_MAX];
	struct identity identity;

	if (service->program->end_command.count == 0 || !has_program(service) || !service->user)
		return;
	identity = identity_of(service, groups);
	if (program_obstacle(service->program->end_command.list[0], &identity, text))
		remark(view, "end_command", "%s; end_command can't be run before that is corrected",
		       text);
}

static void advise_of_processes(const struct view *view)
{
	if (view->service->program->limit_is_set[LIMIT_NPROC] && view->service->user &&
	    view->service->uid == 0)
		remark(view, "rlimit_nproc",
		       "rlimit_nproc has no effect for root; give the service another user");
}

static struct identity reader_of(const struct service_settings *service)
{
	return (struct identity){
		.name = service->user ? service->user : "nobody",
		.uid = service_reader_uid(service),
		.gid = service_reader_gid(service),
	};
}

static void advise_of_banner(const struct view *view, const char *attribute, const char *path)
{
	struct identity reader = reader_of(view->service);
	char text[OBSTACLE_SIZE];

	if (path && access(path, R_OK) < 0)
		remark(view, attribute, "the %s %s can't be sent: %s", attribute, path,
		       strerror(errno));
	else if (path && geteuid() == 0 && reading_obstacle(path, &reader, text))
		remark(view, attribute,
		       "the %s %s can't be sent: %s, and banners are read with "
		       "the rights of the service's user",
		       attribute, path, text);
}

static void advise_of_banners(const struct view *view)
{
	const struct service_settings *service = view->service;

	advise_of_banner(view, "banner", service->banner);
	advise_of_banner(view, "banner_success", service->banner_success);
	advise_of_banner(view, "banner_fail", service->banner_fail);
}

static void advise_of_error_file(const struct view *view)
{
	const struct service_settings *service = view->service;
	char text[OBSTACLE_SIZE];
	gid_t groups[GROUPS_MAX];
	struct identity identity;

	if (!has_program(service) || !service->user || service->program->stderr_kind != STDERR_FILE)
		return;
	identity = identity_of(service, groups);
	if (appending_obstacle(service->program->stderr_path, &identity, text))
		remark(view, "stderr",
		       "%s; the file of stderr is opened with the rights of the "
		       "service's user, and no client will be served before that is corrected",
		       text);
}

/* Without root the daemon can't change its user, so all programs have the same one. */
static void advise_of_own_user(const struct view *view)
{
	const struct service_settings *service = view->service;

	if (service->preset && geteuid() != 0 && service->program->root &&
	    strcmp(service->program->root, "/") == 0)
		remark(view, "root",
		       "usherd does not run as root, so programs run as usherd's own user: with "
		       "root = / the program can read what that user may read, and use sockets in "
		       "the file system that this user may use, except in the few directories that "
		       "are hidden; give the service a root of its own");
}

/* preset = jail sets proc = yes, but a line of the entry can replace that. */
static void advise_of_process_ids(const struct view *view)
{
	if (view->service->preset && !view->service->program->proc)
		remark(view, "proc",
		       "without proc = yes the session has no process ids of its own: the program "
		       "can see and signal all other processes of its user");
}

static bool sees_host_processes(const struct program_settings *program)
{
	return !program->proc && (!program->root || strcmp(program->root, "/") == 0);
}

/* Only for root. Without root each session has a user namespace of its own, so the kernel does
 * not let a session look into another one. */
static void advise_of_scratch(const struct view *view)
{
	const struct service_settings *service = view->service;

	if (service->program->scratch.count > 0 && sees_host_processes(service->program) &&
	    !service->preset && geteuid() == 0)
		remark(view, "scratch",
		       "without proc = yes the sessions of one user can read and change each "
		       "other's scratch, through /proc of the host; add proc = yes");
}

static void advise_of_jail(const struct view *view)
{
	if (service_has_jail(view->service) && view->service->user && view->service->uid == 0)
		remark(view, "user",
		       "a program that runs as root can undo root, scratch, proc, devices and "
		       "network; choose another user for the service");
}

/* The daemon itself may be in another cgroup than this usherd -check. */
static void advise_of_limits(const struct view *view)
{
	const struct service_settings *service = view->service;
	const struct {
		const char *attribute, *controller;
		bool is_set;
	} limits[] = {
		{ "memory", "memory", service->program->memory > 0 },
		{ "processes", "pids", service->program->processes > 0 },
		{ "cpu", "cpu", service->program->cpu > 0 },
	};

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		if (limits[i].is_set && !cgroup_mounts_has(limits[i].controller))
			remark(view, limits[i].attribute,
			       "%s needs the cgroup controller %s, which is not there for usherd "
			       "-check; if it is not there for the daemon either, the service "
			       "does not start",
			       limits[i].attribute, limits[i].controller);
}

/* A client that has closed the connection looks like one that has sent everything and waits for
 * an answer. So the server is not told of it. */
static void advise_of_pty(const struct view *view)
{
	const struct service_settings *service = view->service;

	if (service->pty == PTY_YES && service->idle_timeout == 0 && service->max_runtime == 0 &&
	    service->kill_on_disconnect != KILL_ON_FIN)
		remark(view, "pty",
		       "with pty = yes a server that waits for input does not notice that its "
		       "client has closed the connection; set idle_timeout, max_runtime, "
		       "kill_on_disconnect = fin or pty = eof");
}

void advise_of_service(const struct service_settings *service, struct problems *problems)
{
	static void (*const remarks[])(const struct view *) = {
		advise_of_own_access,  advise_of_bind,      advise_of_first_datagram,
		advise_of_reflection,  advise_of_deny_time, advise_of_datagram_bans,
		advise_of_idonly,      advise_of_arguments, advise_of_server,
		advise_of_end_command, advise_of_processes, advise_of_banners,
		advise_of_error_file,  advise_of_balancers, advise_of_limits,
		advise_of_pty,         advise_of_jail,      advise_of_own_user,
		advise_of_process_ids, advise_of_scratch,
	};
	struct view view = { .service = service, .problems = problems };

	for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
		remarks[i](&view);
}

/* --- everything together ------------------------------------------------------------------- */

/* Sorted. */
struct known_ids {
	const char **list;
	size_t count;
};

static int compare_ids(const void *one, const void *other)
{
	return strcasecmp(*(const char *const *)one, *(const char *const *)other);
}

/* False when memory runs out. */
static bool known_ids_gather(struct known_ids *ids, const struct settings *settings)
{
	const struct left_out *entry;
	size_t most = settings->count;

	STAILQ_FOREACH(entry, &settings->left_out, link)
		most++;
	ids->count = 0;
	ids->list = calloc(most + 1, sizeof *ids->list);
	if (!ids->list)
		return false;
	for (size_t i = 0; i < settings->count; i++)
		ids->list[ids->count++] = settings->services[i]->id;
	STAILQ_FOREACH(entry, &settings->left_out, link)
		ids->list[ids->count++] = entry->id;
	qsort(ids->list, ids->count, sizeof *ids->list, compare_ids);
	return true;
}

enum { SUGGESTIONS_MAX = 256 };

/* An id similar to word; NULL: none, or too many ids to search. */
static const char *nearest_id(const struct known_ids *ids, const char *word)
{
	const char *candidates[SUGGESTIONS_MAX + 1];
	size_t count = 0;

	if (ids->count > SUGGESTIONS_MAX)
		return NULL;
	for (; count < ids->count; count++)
		candidates[count] = ids->list[count];
	candidates[count] = NULL;
	return nearest_word(word, candidates);
}

static void advise_of_unknown_ids(const struct known_ids *ids, const char *attribute,
				  const struct word_list *list, struct problems *problems)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct word *word = list->words[i];
		const char *id = word->text, *nearest;

		if (bsearch(&id, ids->list, ids->count, sizeof *ids->list, compare_ids))
			continue;
		nearest = nearest_id(ids, id);
		problem_add(problems, ADVICE, word->file, word->line,
			    nearest ? "%s: no service has the id \"%s\"; did you mean \"%s\"?"
				    : "%s: no service has the id \"%s\"; remove it",
			    attribute, id, nearest);
	}
}

static void advise_of_ids(const struct settings *settings, const struct word_list *enabled,
			  const struct word_list *disabled, struct problems *problems)
{
	struct known_ids ids;

	if (settings->lost_entries || (enabled->count == 0 && disabled->count == 0) ||
	    !known_ids_gather(&ids, settings))
		return;
	advise_of_unknown_ids(&ids, "enabled", enabled, problems);
	advise_of_unknown_ids(&ids, "disabled", disabled, problems);
	free(ids.list);
}

/* A service with log_on_success or log_on_failure but no log_type, while others have one.
 * If no service has one, the daemon's own log is intended. */
static void advise_of_logs(const struct settings *settings, struct problems *problems)
{
	struct view view = { .problems = problems };
	bool others_have_logs = false;

	for (size_t i = 0; i < settings->count; i++) {
		const struct service_settings *service = settings->services[i];

		others_have_logs |= service->log.kind != LOG_KIND_NONE;
		if (!view.service && service->log.kind == LOG_KIND_NONE &&
		    (is_own(service, "log_on_success") || is_own(service, "log_on_failure")) &&
		    (service->log_on_success | service->log_on_failure))
			view.service = service;
	}
	if (others_have_logs && view.service)
		remark(&view,
		       is_own(view.service, "log_on_success") ? "log_on_success" : "log_on_failure",
		       "without a log_type what it logs goes to usherd's own log; set log_type, "
		       "here or in defaults");
}

/* Once, rather than for each service. */
static void advise_of_identity(const struct settings *settings, struct problems *problems)
{
	size_t count = 0;

	if (geteuid() == 0)
		return;
	for (size_t i = 0; i < settings->count; i++) {
		const struct service_settings *service = settings->services[i];

		count += has_program(service) && service->user &&
			 (service->uid != geteuid() || service->group_is_set);
	}
	if (settings->daemon.user && settings->daemon.user_uid != geteuid())
		problem_add(problems, ADVICE, NULL, 0,
			    "usherd does not run as root, so the frontend would run as usherd's "
			    "own user, not as %s",
			    settings->daemon.user);
	if (count > 0)
		problem_add(problems, ADVICE, NULL, 0,
			    "usherd does not run as root, so %zu server%s would run as usherd's "
			    "own user, whatever user and group say",
			    count, count == 1 ? "" : "s");
}

void advise_of_settings(const struct settings *settings, const struct word_list *enabled,
			const struct word_list *disabled, struct problems *problems)
{
	advise_of_ids(settings, enabled, disabled, problems);
	advise_of_logs(settings, problems);
	advise_of_identity(settings, problems);
}
