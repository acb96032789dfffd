#include "config/check_jail.h"

#include "base/path_in_root.h"
#include "base/text.h"
#include "config/placeholders.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NET_ADMIN (UINT64_C(1) << CAP_NET_ADMIN)
#define OVER_MODES (UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_FOWNER)

/* The check of one service. */
struct jail_check {
	const struct service_settings *service;
	struct problems *problems;
	int root; /* open */
	bool failed;
};

static void complain(struct jail_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct jail_check *check, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	check->failed = true;
	problem_add(check->problems, ERROR, check->service->file, check->service->line,
		    "service %s: %s", check->service->id, text);
}

/* --- what has no place here ------------------------------------------------------------- */

static const char *first_attribute(const struct service_settings *service)
{
	const struct program_settings *program = service->program;
	const struct {
		const char *name;
		bool is_set;
	} attributes[] = {
		{ "root", program->root != NULL },
		{ "scratch", program->scratch.is_set },
		{ "writable", program->writable.is_set },
		{ "proc", program->proc },
		{ "devices", program->devices.is_set },
		{ "directory", program->directory != NULL },
		{ "network", program->network == NETWORK_NONE },
	};

	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (attributes[i].is_set)
			return attributes[i].name;
	return NULL;
}

static void check_use(struct jail_check *check)
{
	const struct service_settings *service = check->service;
	const char *attribute = first_attribute(service);

	if (attribute && !service_starts_program(service))
		complain(check, "%s is for services with a server; remove it", attribute);
	if (service->program->network == NETWORK_NONE && service->pty == PTY_NO &&
	    service->program->capabilities & NET_ADMIN)
		complain(check,
			 "CAP_NET_ADMIN and network = none do not go together: the connection "
			 "is a socket of the host's network, which it could change; remove "
			 "one of them");
	if (service->program->writable.count > 0 && !service->program->root)
		complain(check, "writable needs root; without it nothing is made read-only");
}

/* --- what must be in the root ---------------------------------------------------------- */

/* Reports at the service that a path in its root can't be used; errno says why. */
static void report_path(struct jail_check *check, const char *attribute, const char *path)
{
	const char *root = check->service->program->root ? check->service->program->root : "/";

	if (errno == ELOOP)
		complain(check,
			 "%s: %s in %s has a symbolic link in it, which others may have made; "
			 "write the path that it leads to",
			 attribute, path, root);
	else if (errno == ENOENT || errno == ENOTDIR)
		complain(check, "%s: there is no %s in %s; make it", attribute, path, root);
	else
		complain(check, "%s: %s in %s: %s", attribute, path, root, strerror(errno));
}

/* A path that the session mounts something on: it must exist. */
static void check_path(struct jail_check *check, const char *attribute, const char *path,
		       bool is_directory)
{
	struct stat status;
	int fd = path_in_root_open(check->root, path, O_PATH, PATH_NO_LINKS);

	if (fd < 0) {
		report_path(check, attribute, path);
		return;
	}
	if (is_directory && fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
		complain(check, "%s: %s is not a directory", attribute, path);
	close(fd);
}

/* True for a directory that `devices` makes. */
static bool is_made(const struct service_settings *service, const char *path)
{
	return service->program->devices.is_set && strcmp(path, "/dev/shm") == 0;
}

/* The program is started after all mounts, so none may cover it. */
static void check_server(struct jail_check *check, const char *path)
{
	const char *server = check->service->server;
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	if (server && strncmp(server, path, length) == 0 && server[length] == '/')
		complain(check, "scratch: %s would cover %s, which is the server; move one of them",
			 path, server);
}

static struct path_user user_of(const struct service_settings *service)
{
	const struct program_settings *program = service->program;
	bool is_own = geteuid() != 0 || !service->user;

	return (struct path_user){
		.uid = is_own ? geteuid() : service->uid,
		.gid = is_own ? getegid() : service->gid,
		.has_groups = is_own || program->groups,
		.is_mighty = program->capabilities & OVER_MODES,
		.writable = program->writable.list,
		.count = program->writable.count,
		.all_are_writable = !program->root,
	};
}

/* A session can't rename a directory that it has mounted something on, only one above it. But if
 * each session has a directory of its own, it can rename those of others. */
static void check_place(struct jail_check *check, const char *path, bool is_of_session)
{
	struct path_user user = user_of(check->service);
	char where[PATH_MAX], in_it[PATH_MAX + 2];

	snprintf(in_it, sizeof in_it, "%s/x", path);
	if (user.uid != 0 &&
	    path_in_root_can_move(&user, check->root, is_of_session ? in_it : path, where))
		complain(check,
			 "scratch: another session could move %s away, as its user may write to "
			 "%s; put it somewhere else",
			 path, where);
}

/* Checks the path that the first session will have. */
static void check_scratch(struct jail_check *check, const char *path)
{
	const struct service_settings *service = check->service;
	const char *given = path;
	char first[PATH_MAX];

	if (service->placeholders && service->account) {
		if (placeholders_expand_first(first, sizeof first, path, service->account) >=
		    sizeof first) {
			complain(check, "scratch: %.100s...: %s", path, strerror(ENAMETOOLONG));
			return;
		}
		path = first;
	}
	if (!is_made(service, path))
		check_path(check, "scratch", path, true);
	check_place(check, path, strcmp(path, given) != 0);
	check_server(check, path);
}

static void check_paths(struct jail_check *check)
{
	const struct service_settings *service = check->service;

	for (size_t i = 0; i < service->program->writable.count; i++)
		check_path(check, "writable", service->program->writable.list[i], false);
	for (size_t i = 0; i + 1 < service->program->scratch.count; i += 2)
		check_scratch(check, service->program->scratch.list[i]);
	if (service->program->proc)
		check_path(check, "proc", "/proc", true);
	if (service->program->devices.is_set)
		check_path(check, "devices", "/dev", true);
}

bool check_jail(const struct service_settings *service, struct problems *problems)
{
	struct jail_check check = { .service = service, .problems = problems };

	check_use(&check);
	if (check.failed || service->program->lacks_root || !service_has_jail(service))
		return !check.failed;
	check.root = open(service->program->root ? service->program->root : "/",
			  O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (check.root < 0) {
		complain(&check, "root: %s: %s", service->program->root, strerror(errno));
		return false;
	}
	check_paths(&check);
	close(check.root);
	return !check.failed;
}

/* --- the jail as one text ------------------------------------------------------------------ */

/* With its length, so that no text can be taken for two. */
static void add_text(struct text *text, const char *string)
{
	text_add_format(text, "%zu %s\n", strlen(string), string);
}

static void add_list(struct text *text, const char *name, const struct strings *strings)
{
	if (!strings->is_set)
		return;
	text_add_format(text, "%s %u\n", name, strings->count);
	for (size_t i = 0; i < strings->count; i++)
		add_text(text, strings->list[i]);
}

void derive_jail(struct service_settings *service)
{
	struct program_settings *program = service->program;
	struct text text = { 0 };
	char *whole;

	if (!service_has_jail(service))
		return;
	text_add_format(&text, "%u %u%s%s\n", (unsigned)service->uid, (unsigned)service->gid,
			program->proc ? " proc" : "",
			program->network == NETWORK_NONE ? " without network" : "");
	add_text(&text, program->root ? program->root : "");
	if (service->placeholders && service->account)
		add_text(&text, service->account);
	add_list(&text, "scratch", &program->scratch);
	add_list(&text, "writable", &program->writable);
	add_list(&text, "devices", &program->devices);
	whole = text_copy_out(&text);
	text_free(&text);
	if (whole)
		program->jail = arena_string(&service->arena, whole);
	service->arena.failed |= !whole;
	free(whole);
}
