#include "base/cgroup_mounts.h"

#include "base/path_in_root.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cgroup_mounts_lists(const char *text, const char *word)
{
	const char *separators = " ,\n";
	size_t length = strlen(word);

	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		size_t size = strcspn(text, separators);

		if (size == length && strncmp(text, word, length) == 0)
			return true;
		text += size;
	}
	return false;
}

/* The line that begins at *rest, without its newline; moves *rest to the next one. False at the
 * end, and for a line that is too long. */
static bool next_line(const char **rest, char *line, size_t size)
{
	size_t length = strcspn(*rest, "\n");

	if (**rest == '\0' || length >= size)
		return false;
	memcpy(line, *rest, length);
	line[length] = '\0';
	*rest += length + ((*rest)[length] == '\n');
	return true;
}

enum { LINE_SIZE = 3 * PATH_MAX };

/* The own cgroup from a line such as "4:cpu,cpuacct:/path"; version 2 is "0::/path". NULL: the
 * line is of another hierarchy. */
static const char *own_cgroup(char *line, const char *controller)
{
	char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

	if (!path)
		return NULL;
	*path++ = '\0';
	names++;
	if (controller ? cgroup_mounts_lists(names, controller) : *names == '\0')
		return path;
	return NULL;
}

static bool find_cgroup(const char *cgroups, const char *controller, char path[static PATH_MAX])
{
	char line[LINE_SIZE];
	const char *found = NULL;

	while (!found && next_line(&cgroups, line, sizeof line))
		found = own_cgroup(line, controller);
	/* "/.." is outside of the cgroup namespace. */
	return found && strncmp(found, "/..", 3) != 0 &&
	       snprintf(path, PATH_MAX, "%s", found) < PATH_MAX;
}

/* Replaces escapes such as \040 in place. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned code;

		if (*text == '\\' && sscanf(text, "\\%3o", &code) == 1) {
			*to++ = (char)code;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* The fields of a line of mountinfo, see proc(5). False: the line has another form. */
static bool split_mount(char *line, char **root, char **point, char **type, char **options)
{
	char *fields[6], *more = line, *end = strstr(line, " - ");

	for (int i = 0; i < 6; i++)
		if (!(fields[i] = strsep(&more, " ")))
			return false;
	if (!end || end < fields[5])
		return false;
	*root = fields[3];
	*point = fields[4];
	more = end + 3;
	*type = strsep(&more, " ");
	strsep(&more, " ");
	*options = more;
	unescape(*root);
	unescape(*point);
	return more != NULL;
}

static bool is_hierarchy(const char *type, const char *options, const char *controller)
{
	if (!controller)
		return strcmp(type, "cgroup2") == 0;
	return strcmp(type, "cgroup") == 0 && cgroup_mounts_lists(options, controller);
}

bool cgroup_mounts_find(const char *mounts, const char *cgroups, const char *controller,
			char path[static PATH_MAX])
{
	char line[LINE_SIZE], own[PATH_MAX], *root, *point, *type, *options;

	if (!find_cgroup(cgroups, controller, own))
		return false;
	while (next_line(&mounts, line, sizeof line)) {
		const char *rest;

		if (!split_mount(line, &root, &point, &type, &options) ||
		    !is_hierarchy(type, options, controller) || !(rest = path_below(root, own)))
			continue;
		return snprintf(path, PATH_MAX, "%s%s", point, rest) < PATH_MAX;
	}
	return false;
}

/* --- of this process ------------------------------------------------------------------------- */

/* The whole file, to be freed; NULL: it can't be read. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

bool cgroup_mounts_own(const char *controller, char path[static PATH_MAX])
{
	char *mounts = read_file("/proc/self/mountinfo"), *cgroups = read_file("/proc/self/cgroup");
	bool found = mounts && cgroups && cgroup_mounts_find(mounts, cgroups, controller, path);

	free(mounts);
	free(cgroups);
	return found;
}

bool cgroup_mounts_has(const char *controller)
{
	char path[PATH_MAX], name[PATH_MAX + 24], *text = NULL;
	bool has;

	if (cgroup_mounts_own(NULL, path)) {
		snprintf(name, sizeof name, "%s/cgroup.controllers", path);
		text = read_file(name);
	}
	has = text && cgroup_mounts_lists(text, controller);
	free(text);
	return has || cgroup_mounts_own(controller, path);
}
