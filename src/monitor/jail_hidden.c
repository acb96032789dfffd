#include "monitor/jail_hidden.h"

#include "config/control_socket.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directories[JAIL_HIDDEN_MAX][PATH_MAX]; /* without links */
static size_t count;

/* What is not there has no sockets. */
static void add(const char *path)
{
	char *place = directories[count];

	if (!path || !realpath(path, place))
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

/* The rest of path below directory, "" for directory itself; NULL: it is not in it. */
static const char *below(const char *directory, const char *path)
{
	size_t length = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

	if (strncmp(directory, path, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return path + length;
}

void jail_hidden_plan(struct jail_plan *plan, struct arena *arena)
{
	char root[PATH_MAX];

	if (!plan->root || !realpath(plan->root, root))
		return;
	for (size_t i = 0; i < count; i++) {
		const char *path = below(root, directories[i]);

		if (path)
			plan->hidden[plan->hidden_count++] =
				arena_string(arena, *path ? path : "/");
	}
}

const char *jail_hidden_around(const struct jail_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->hidden_count; i++)
		if (below(plan->hidden[i], path))
			return plan->hidden[i];
	return NULL;
}
