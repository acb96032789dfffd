#include "monitor/cgroup_hierarchies.h"

#include "base/cgroup_mounts.h"
#include "monitor/cgroup_files.h"
#include "monitor/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STEM_SIZE = 32,
	NAME_SIZE = 64,
	NUMBERS_MAX = 32, /* of daemons with one process id, in several PID namespaces */
	MOVE_ROUNDS = 8,  /* until no process of the daemon is left in its first cgroup */
};

static const char prefix[] = "usherd-", daemon_suffix[] = ".daemon";

/* Nobody else may open them, and so lock them. */
enum { OWN_MODE = 0711 };

static struct cgroup_hierarchy hierarchies[CGROUP_KINDS] = {
	[CGROUP_TREE] = { .directory = -1 },
	[CGROUP_MEMORY] = { .controller = "memory", .attribute = "memory", .directory = -1 },
	[CGROUP_PROCESSES] = { .controller = "pids", .attribute = "processes", .directory = -1 },
	[CGROUP_CPU] = { .controller = "cpu", .attribute = "cpu", .directory = -1 },
};

/* --- the daemon's own directories ------------------------------------------------------------- */

/* The directory, held with flock(2); -1 with errno. It may be removed between the two. */
static int hold(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error;
	struct stat held, named;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (fstat(fd, &held) == 0 &&
		    fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		    held.st_ino == named.st_ino)
			return fd;
		errno = EWOULDBLOCK;
	}
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* As make_held makes them. */
static bool is_name_of_daemon(const char *name)
{
	size_t length = sizeof prefix - 1;

	return strncmp(name, prefix, length) == 0 && name[length] >= '0' && name[length] <= '9';
}

/* Removes what daemons have left that are dead. Programs that still run there stay. */
static void remove_leftovers(int parent)
{
	int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		int fd = is_name_of_daemon(entry->d_name) ? hold(parent, entry->d_name) : -1;

		if (fd < 0)
			continue;
		cgroup_remove(parent, entry->d_name);
		close(fd);
	}
	if (directory)
		closedir(directory);
}

/* True when another daemon took it for a dead one's, before it was held. */
static bool was_taken(void)
{
	return errno == EWOULDBLOCK || errno == ENOENT;
}

/* Makes the directory "STEMsuffix", or "STEM-1suffix" and so on, which name then says, and holds
 * it. -1 with errno. */
static int make_held(int parent, const char *stem, const char *suffix, char name[NAME_SIZE])
{
	for (int number = 0; number < NUMBERS_MAX; number++) {
		char count[8] = "";
		int fd;

		if (number > 0)
			snprintf(count, sizeof count, "-%d", number);
		snprintf(name, NAME_SIZE, "%.*s%s%s", STEM_SIZE, stem, count, suffix);
		if (mkdirat(parent, name, OWN_MODE) < 0) {
			if (errno == EEXIST)
				continue;
			return -1;
		}
		fd = hold(parent, name);
		if (fd >= 0)
			return fd;
		if (!was_taken()) {
			int error = errno;

			unlinkat(parent, name, AT_REMOVEDIR);
			errno = error;
			return -1;
		}
	}
	errno = EEXIST;
	return -1;
}

/* Makes a directory of the daemon's own in parent. -1 with errno. */
static int make_own(int parent, struct cgroup_hierarchy *hierarchy)
{
	size_t length = strlen(hierarchy->path);
	char stem[STEM_SIZE], name[NAME_SIZE];
	int fd;

	snprintf(stem, sizeof stem, "%s%d", prefix, (int)getpid());
	fd = make_held(parent, stem, "", name);
	if (fd >= 0)
		snprintf(hierarchy->path + length, sizeof hierarchy->path - length, "/%s", name);
	return fd;
}

/* A process may enter a cgroup only if this one may write here. */
static bool may_move_processes(int directory)
{
	return faccessat(directory, "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

/* Makes the daemon's directory in its own cgroup at hierarchy->path. */
static int open_own(struct cgroup_hierarchy *hierarchy)
{
	int parent = open(hierarchy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1, error;

	if (parent < 0)
		return -1;
	if (may_move_processes(parent)) {
		remove_leftovers(parent);
		fd = make_own(parent, hierarchy);
	}
	error = errno;
	close(parent);
	errno = error;
	return fd;
}

static void try_tree(struct cgroup_hierarchy *tree)
{
	tree->is_v2 = true;
	if (!cgroup_mounts_own(NULL, tree->path)) {
		tree->reason = "cgroups of version 2 are not mounted";
		return;
	}
	tree->directory = open_own(tree);
	if (tree->directory < 0)
		tree->reason = strerror(errno);
}

/* --- controllers ------------------------------------------------------------------------------ */

struct move {
	const struct processes *all;
	int daemon, moved;
};

static bool is_of_daemon(const struct processes *all, pid_t pid)
{
	for (int depth = 0; depth < 1000 && pid > 0; depth++) {
		const struct process *process = processes_find(all, pid);
		struct process later; /* than all */

		if (pid == getpid())
			return true;
		if (!process && process_read(pid, &later))
			process = &later;
		pid = process ? process->parent : 0;
	}
	return false;
}

static void move_process(pid_t pid, void *context)
{
	struct move *move = context;
	char text[16];

	if (!is_of_daemon(move->all, pid))
		return;
	snprintf(text, sizeof text, "%d", (int)pid);
	move->moved += cgroup_file_write(move->daemon, "cgroup.procs", text) == 0;
}

static int daemon_place = -1; /* the cgroup that the daemon has moved to, held */

/* A cgroup for the daemon itself, beside the one with all sessions: the kernel then gives a process
 * of the daemon that wakes a processor at once, however many sessions are busy. In one with them
 * it would wait for its turn. */
static int open_daemon_place(int parent)
{
	const char *own = strrchr(hierarchies[CGROUP_TREE].path, '/') + 1;
	char name[NAME_SIZE];

	if (daemon_place < 0)
		daemon_place = make_held(parent, own, daemon_suffix, name);
	return daemon_place;
}

/* Moves the daemon, its frontend and its programs out of their cgroup: one with processes can't
 * give controllers to those in it. */
static void move_out(int parent)
{
	struct processes all;
	struct move move = { .all = &all, .moved = 1, .daemon = open_daemon_place(parent) };

	for (int round = 0; round < MOVE_ROUNDS && move.moved > 0 && move.daemon >= 0; round++) {
		move.moved = 0;
		if (processes_read(&all) == 0)
			cgroup_each_process(parent, "cgroup.procs", move_process, &move);
		processes_clear(&all);
	}
}

/* Gives the controller to the sessions' cgroups. */
static int enable(const char *controller)
{
	int own = hierarchies[CGROUP_TREE].directory, result, error;
	int parent = openat(own, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char word[24];

	if (parent < 0)
		return -1;
	snprintf(word, sizeof word, "+%s", controller);
	result = cgroup_file_write(parent, "cgroup.subtree_control", word);
	if (result < 0 && errno == EBUSY) {
		move_out(parent);
		result = cgroup_file_write(parent, "cgroup.subtree_control", word);
	}
	if (result == 0)
		result = cgroup_file_write(own, "cgroup.subtree_control", word);
	error = errno;
	close(parent);
	errno = error;
	return result;
}

/* True when the daemon's own cgroup of version 2 has the controller. */
static bool is_in_tree(const char *controller)
{
	char text[512];

	return hierarchies[CGROUP_TREE].directory >= 0 &&
	       cgroup_file_read(hierarchies[CGROUP_TREE].directory, "../cgroup.controllers", text,
				sizeof text) &&
	       cgroup_mounts_lists(text, controller);
}

static const char *reason_of(int error)
{
	if (error == EBUSY)
		return "other processes are in the daemon's own cgroup; start it in one of its own";
	if (error == EACCES || error == EPERM || error == EROFS)
		return "the daemon may not change its own cgroup; in a unit of systemd write "
		       "Delegate=yes, and start a container with a writable /sys/fs/cgroup";
	return strerror(error);
}

/* Several controllers of version 1 may be mounted as one hierarchy, in which a process has one
 * cgroup. True when the daemon's directory is there already. */
static bool share_directory(struct cgroup_hierarchy *hierarchy)
{
	size_t length = strlen(hierarchy->path);

	for (int kind = CGROUP_TREE + 1; kind < CGROUP_KINDS; kind++) {
		const struct cgroup_hierarchy *other = &hierarchies[kind];

		if (other->directory < 0 || other->is_v2 ||
		    strncmp(other->path, hierarchy->path, length) != 0 ||
		    strrchr(other->path, '/') != other->path + length)
			continue;
		memmove(hierarchy->path, other->path, sizeof hierarchy->path);
		hierarchy->directory = other->directory;
		return true;
	}
	return false;
}

static void try_controller(struct cgroup_hierarchy *hierarchy)
{
	const char *controller = hierarchy->controller;

	hierarchy->is_v2 = is_in_tree(controller);
	if (hierarchy->is_v2) {
		if (enable(controller) == 0)
			hierarchy->directory = hierarchies[CGROUP_TREE].directory;
		else
			hierarchy->reason = reason_of(errno);
		return;
	}
	if (!cgroup_mounts_own(controller, hierarchy->path)) {
		hierarchy->reason = "the daemon's own cgroup has no such controller; in a unit of "
				    "systemd write Delegate=yes";
		return;
	}
	if (share_directory(hierarchy))
		return;
	hierarchy->directory = open_own(hierarchy);
	if (hierarchy->directory < 0)
		hierarchy->reason = reason_of(errno);
}

/* --- all of them ------------------------------------------------------------------------------ */

const struct cgroup_hierarchy *cgroup_hierarchy(enum cgroup_kind kind)
{
	return &hierarchies[kind];
}

bool cgroup_hierarchy_open(enum cgroup_kind kind)
{
	struct cgroup_hierarchy *hierarchy = &hierarchies[kind];

	if (hierarchy->directory >= 0)
		return true;
	if (kind == CGROUP_TREE)
		try_tree(hierarchy);
	else
		try_controller(hierarchy);
	return hierarchy->directory >= 0;
}

/* The directory with the daemon itself in it stays, for the next daemon to remove. */
void cgroup_hierarchies_close(void)
{
	for (int kind = 0; kind < CGROUP_KINDS; kind++) {
		struct cgroup_hierarchy *hierarchy = &hierarchies[kind];
		bool is_shared = kind != CGROUP_TREE && hierarchy->is_v2;

		if (hierarchy->directory < 0 || is_shared)
			continue;
		cgroup_remove(AT_FDCWD, hierarchy->path);
	}
}
