#include "config/program.h"

#include "base/path_in_root.h"
#include "base/span.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	INTERPRETERS_MAX = 4, /* interpreters of interpreters: the kernel's limit */
	HEAD_SIZE = 256,      /* where the kernel looks for the interpreter */
};

/* The state of a check. */
struct search {
	const struct identity *identity;
	mode_t wanted; /* what the user needs, of 0444, 0222 and 0111 */
	char *text;    /* OBSTACLE_SIZE */
};

static bool is_in_group(const struct identity *identity, gid_t gid)
{
	if (identity->gid == gid)
		return true;
	for (size_t i = 0; i < identity->groups_count; i++)
		if (identity->groups[i] == gid)
			return true;
	return false;
}

static bool mode_allows(const struct stat *status, const struct identity *identity, mode_t wanted)
{
	if (identity->uid == 0)
		return S_ISDIR(status->st_mode) || wanted != 0111 || (status->st_mode & 0111);
	if (status->st_uid == identity->uid)
		return status->st_mode & wanted & S_IRWXU;
	return status->st_mode & wanted &
	       (is_in_group(identity, status->st_gid) ? S_IRWXG : S_IRWXO);
}

/* With an access control list the mode is not enough to decide. */
static bool has_access_control_list(const char *path)
{
	return getxattr(path, "system.posix_acl_access", NULL, 0) >= 0;
}

static const char *deed_text(const struct stat *status, mode_t wanted)
{
	if (S_ISDIR(status->st_mode))
		return wanted == 0222 ? "make files in" : "enter";
	return wanted == 0444 ? "read" : wanted == 0222 ? "write to" : "execute";
}

/* True when path exists and the user may not use it. False if that can't be checked. */
static bool is_closed(struct search *search, const char *path, mode_t wanted)
{
	struct stat status;

	if (stat(path, &status) < 0 || mode_allows(&status, search->identity, wanted) ||
	    has_access_control_list(path))
		return false;
	snprintf(search->text, OBSTACLE_SIZE, "%s may not %s %s (mode %04o)",
		 search->identity->name, deed_text(&status, wanted), path, status.st_mode & 07777);
	return true;
}

/* Checks every directory of path, then the file. */
static bool is_barred(struct search *search, const char *path)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return false;
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		bool closed;

		*slash = '\0';
		closed = is_closed(search, part, 0111);
		*slash = '/';
		if (closed)
			return true;
	}
	return is_closed(search, path, search->wanted);
}

/* The same for the targets of symbolic links. */
static bool is_barred_behind_links(struct search *search, const char *path)
{
	char *real = realpath(path, NULL);
	bool barred = real && strcmp(real, path) != 0 && is_barred(search, real);

	free(real);
	return barred;
}

/* Reads the first bytes of an open file, NUL-ended, and closes it; false when it can't be
 * read. */
static bool read_head(int fd, char head[HEAD_SIZE + 1], size_t *length)
{
	ssize_t got = fd < 0 ? -1 : read(fd, head, HEAD_SIZE);

	if (fd >= 0)
		close(fd);
	if (got < 0)
		return false;
	head[got] = '\0';
	*length = (size_t)got;
	return true;
}

/* True for text without #!: neither a program nor a script. Other binary formats may be
 * known to the kernel. */
static bool is_mere_text(const char *head, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isprint((unsigned char)head[i]) && !is_blank_char(head[i]))
			return false;
	return true;
}

/* The interpreter's path in "#! PATH [ARGUMENT]". */
static char *interpreter_of(char *head)
{
	char *path = head + 2 + strspn(head + 2, " \t");

	path[strcspn(path, " \t\n")] = '\0';
	return path;
}

static bool interpreter_is_missing(struct search *search, const char *script,
				   const char *interpreter)
{
	size_t length = strlen(interpreter);
	bool has_return = length > 0 && interpreter[length - 1] == '\r';

	if (access(interpreter, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return false;
	snprintf(search->text, OBSTACLE_SIZE,
		 "there is no %.*s, which %s names as its interpreter%s",
		 (int)(length - has_return), interpreter, script,
		 has_return ? " with a carriage return after it; end its lines as UNIX does" : "");
	return true;
}

static bool find_obstacle(struct search *search, const char *path, int depth)
{
	char head[HEAD_SIZE + 1];
	const char *interpreter;
	size_t length;

	if (is_barred(search, path) || is_barred_behind_links(search, path))
		return true;
	if (depth == INTERPRETERS_MAX ||
	    !read_head(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), head, &length))
		return false;
	if (strncmp(head, "#!", 2) != 0) {
		if (!is_mere_text(head, length))
			return false;
		snprintf(search->text, OBSTACLE_SIZE,
			 "%s is no program: it needs a first line such as #!/bin/sh", path);
		return true;
	}
	interpreter = interpreter_of(head);
	return interpreter[0] == '/' && (interpreter_is_missing(search, path, interpreter) ||
					 find_obstacle(search, interpreter, depth + 1));
}

const char *program_obstacle(const char *path, const struct identity *identity,
			     char text[static OBSTACLE_SIZE])
{
	struct search search = { .identity = identity, .wanted = 0111, .text = text };

	return find_obstacle(&search, path, 0) ? text : NULL;
}

static const char *find_bar(struct search *search, const char *path)
{
	return is_barred(search, path) || is_barred_behind_links(search, path) ? search->text
									       : NULL;
}

const char *reading_obstacle(const char *path, const struct identity *identity,
			     char text[static OBSTACLE_SIZE])
{
	struct search search = { .identity = identity, .wanted = 0444, .text = text };

	return find_bar(&search, path);
}

const char *appending_obstacle(const char *path, const struct identity *identity,
			       char text[static OBSTACLE_SIZE])
{
	struct search search = { .identity = identity, .wanted = 0222, .text = text };
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (access(path, F_OK) == 0 || !slash || (size_t)(slash - path) >= sizeof directory)
		return find_bar(&search, path);
	snprintf(directory, sizeof directory, "%.*s", slash > path ? (int)(slash - path) : 1, path);
	return find_bar(&search, directory);
}

/* Where the program is for the host; path itself when it can't be found. */
static const char *place_on_host(const char *root, const char *path, char real[static PATH_MAX])
{
	return root && path_in_root_find(root, path, real) == 0 ? real : path;
}

const char *program_fault(const char *root, const char *path, struct trust *trust,
			  char fault[static TRUST_TEXT_SIZE])
{
	char head[HEAD_SIZE + 1], real[PATH_MAX];
	size_t length;

	for (int depth = 0; depth <= INTERPRETERS_MAX; depth++) {
		int fd = trust_open(trust, place_on_host(root, path, real), 0, fault);
		bool is_script = read_head(fd, head, &length) && strncmp(head, "#!", 2) == 0;

		if (*fault)
			return fault;
		if (!is_script)
			break;
		path = interpreter_of(head);
	}
	return NULL;
}
