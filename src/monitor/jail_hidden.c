#include "monitor/jail_hidden.h"

#include "base/path_in_root.h"
#include "config/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directories[JAIL_HIDDEN_MAX][PATH_MAX]; /* without links */
static size_t count;

/* Adds the names in rest to place. False: it gets too long, or a name is "..". */
static bool add_names(char place[static PATH_MAX], char *rest)
{
	size_t length = strcmp(place, "/") == 0 ? 0 : strlen(place);
	char *next = rest;

	for (const char *name = strtok_r(rest, "/", &next); name;
	     name = strtok_r(NULL, "/", &next)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0 || length + strlen(name) + 2 > PATH_MAX)
			return false;
		length += (size_t)snprintf(place + length, PATH_MAX - length, "/%s", name);
	}
	return true;
}

/* Where the last name of the path's first length characters begins. */
static size_t before_last_name(const char *path, size_t length)
{
	while (length > 1 && path[length - 1] == '/')
		length--;
	while (length > 1 && path[length - 1] != '/')
		length--;
	return length;
}

/* Writes the path to place without symbolic links, as far as it exists. The rest may be made
 * later: the directory of a user is made when that user logs in. False: the path is not absolute
 * or too long, or the daemon can't follow it. */
static bool find_place(const char *path, char place[static PATH_MAX])
{
	size_t length = strlen(path);
	char there[PATH_MAX], rest[PATH_MAX];

	if (path[0] != '/' || length >= PATH_MAX)
		return false;
	strcpy(there, path);
	while (!realpath(there, place)) {
		if (errno != ENOENT)
			return false;
		length = before_last_name(path, length);
		there[length] = '\0';
	}
	strcpy(rest, path + length);
	return add_names(place, rest);
}

static void add(const char *path)
{
	char *place = directories[count];

	if (!path || !find_place(path, place))
		return;
	for (size_t i = 0; i < count; i++)
		if (strcmp(directories[i], place) == 0)
			return;
	count++;
}

static void add_directory_of(const char *path)
{
	char directory[PATH_MAX];

	snprintf(directory, sizeof directory, "%.*s/", (int)(strrchr(path, '/') - path), path);
	add(directory);
}

void jail_hidden_find(const struct daemon_settings *daemon)
{
	char of_user[sizeof "/run/user/" + 3 * sizeof(uid_t)];

	count = 0;
	snprintf(of_user, sizeof of_user, "/run/user/%u", (unsigned)geteuid());
	if (daemon->control_socket)
		add_directory_of(daemon->control_socket);
	add(secure_getenv("XDG_RUNTIME_DIR"));
	add(of_user);
	add_directory_of(CONTROL_PATH);
}

void jail_hidden_plan(struct jail_plan *plan, struct arena *arena)
{
	char root[PATH_MAX];

	if (!plan->root || !realpath(plan->root, root))
		return;
	for (size_t i = 0; i < count; i++) {
		const char *path = path_below(root, directories[i]);

		if (path)
			plan->hidden[plan->hidden_count++] =
				arena_string(arena, *path ? path : "/");
	}
}

const char *jail_hidden_around(const struct jail_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->hidden_count; i++)
		if (path_below(plan->hidden[i], path))
			return plan->hidden[i];
	return NULL;
}

const char *jail_hidden_movable(const struct jail_plan *plan)
{
	const struct path_user user = {
		.uid = geteuid(),
		.gid = getegid(),
		.has_groups = true,
		.writable = plan->writable,
		.count = plan->writable_count,
	};
	int root = plan->hidden_count > 0 ? open(plan->root, O_PATH | O_CLOEXEC) : -1;
	const char *found = NULL;
	char where[PATH_MAX];

	for (size_t i = 0; root >= 0 && !found && i < plan->hidden_count; i++)
		if (path_in_root_can_move(&user, root, plan->hidden[i], where))
			found = plan->hidden[i];
	if (root >= 0)
		close(root);
	return found;
}
