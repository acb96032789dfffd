#include "config/written_files.h"

#include "config/attributes.h"
#include "config/control_socket.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Options first. is_log: services may log there, too. */
static const struct {
	const char *attribute;
	size_t path; /* in the settings */
	bool is_log;
} files[] = {
	{ "-pidfile", offsetof(struct daemon_settings, pid_file), false },
	{ "-filelog", offsetof(struct daemon_settings, log_file), true },
	{ "status_file", offsetof(struct daemon_settings, status_file), false },
	{ "ban_file", offsetof(struct daemon_settings, ban_file), false },
	{ "metrics_file", offsetof(struct daemon_settings, metrics_file), false },
	{ "control_socket", offsetof(struct daemon_settings, control_socket), false },
};

enum { FILES = sizeof files / sizeof files[0] };

static const char *default_path(const struct daemon_settings *daemon, size_t file,
				char path[static PATH_MAX])
{
	if (strcmp(files[file].attribute, "status_file") == 0)
		return STATUS_FILE;
	if (strcmp(files[file].attribute, "control_socket") == 0 && !daemon->has_no_control)
		return control_socket_default(path);
	return NULL;
}

/* NULL: it has none. */
static const char *path_of(const struct daemon_settings *daemon, size_t file,
			   char path[static PATH_MAX])
{
	const char *set = *(char *const *)((const char *)daemon + files[file].path);

	return set ? set : default_path(daemon, file, path);
}

/* The directory's status; false: it can't be known. */
static bool look_at_directory(const char *path, struct stat *status)
{
	char directory[PATH_MAX];
	int length = snprintf(directory, sizeof directory, "%.*s/.",
			      (int)(strrchr(path, '/') - path), path);

	return length < PATH_MAX && stat(directory, status) == 0;
}

static bool is_same(const char *one, const char *other)
{
	struct stat ours, theirs;

	if (strcmp(strrchr(one, '/'), strrchr(other, '/')) != 0)
		return false;
	return strcmp(one, other) == 0 ||
	       (look_at_directory(one, &ours) && look_at_directory(other, &theirs) &&
		ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

/* Among the first `most` files. */
static const char *find(const struct daemon_settings *daemon, size_t most, const char *path,
			bool is_log)
{
	char own[PATH_MAX];

	if (strncmp(path, "/dev/", strlen("/dev/")) == 0)
		return NULL;
	for (size_t i = 0; i < most; i++) {
		const char *other = path_of(daemon, i, own);

		if (other && !(is_log && files[i].is_log) && is_same(other, path))
			return files[i].attribute;
	}
	return NULL;
}

const char *written_files_find(const struct daemon_settings *daemon, const char *path)
{
	return find(daemon, FILES, path, true);
}

/* NULL: on no line. */
static const struct word_list *line_of(const struct word_list *lines, const char *attribute)
{
	return attribute[0] != '-' && lines[ATTRIBUTE(attribute)].is_set
		       ? &lines[ATTRIBUTE(attribute)]
		       : NULL;
}

/* The later of two attributes is reported; if that is not set, the other one is. */
static void report(const struct word_list *lines, const char *attribute, const char *other,
		   const char *path, struct problems *problems)
{
	const struct word_list *place = line_of(lines, attribute);

	if (!place)
		place = line_of(lines, other);
	problem_add(problems, ERROR, place ? place->file : NULL, place ? place->line : 0,
		    "%s: %s is the %s too; name another file", attribute, path, other);
}

bool written_files_differ(const struct daemon_settings *daemon, const struct word_list *lines,
			  struct problems *problems)
{
	char own[PATH_MAX];
	bool differ = true;

	for (size_t i = 1; i < FILES; i++) {
		const char *path = path_of(daemon, i, own);
		const char *other = path ? find(daemon, i, path, false) : NULL;

		if (!other)
			continue;
		report(lines, files[i].attribute, other, path, problems);
		differ = false;
	}
	return differ;
}
