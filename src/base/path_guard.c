#include "base/path_guard.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	LINKS_MAX = 40,   /* the kernel's limit */
	LIST_SIZE = 4096, /* of an access control list; a longer one certainly names others */
};

/* The walk along a path, directory by directory. */
struct walk {
	struct path_guard *guard;
	int flags;
	mode_t mode;
	int directory;       /* reached so far */
	char at[PATH_MAX];   /* its path; "" for the root */
	char rest[PATH_MAX]; /* of the path, still to be walked */
	int links;
	struct path_guard_place *place; /* keeps the last directory; or NULL */
	bool is_recalled;               /* directory is the one of place */
};

/* Of culprit, which is long, only the beginning. */
static void clear_guard(struct path_guard *guard)
{
	uid_t trusted = guard->trusted;

	memset(guard, 0, offsetof(struct path_guard, culprit) + 1);
	guard->trusted = trusted;
}

static void copy_guard(struct path_guard *to, const struct path_guard *from)
{
	memcpy(to, from, offsetof(struct path_guard, culprit));
	strcpy(to->culprit, from->culprit);
}

static bool is_foreign(const struct path_guard *guard, uid_t owner)
{
	return owner != 0 && owner != guard->trusted;
}

/* True for a group with only the trusted user in it: many systems create one for each
 * user, with a umask of 002. */
static bool is_private_group(const struct path_guard *guard, gid_t gid)
{
	const struct passwd *user = guard->trusted != 0 ? getpwuid(guard->trusted) : NULL;
	const struct group *group = user && user->pw_gid == gid ? getgrgid(gid) : NULL;

	if (!group || strcmp(group->gr_name, user->pw_name) != 0)
		return false;
	for (char **member = group->gr_mem; *member; member++)
		if (strcmp(*member, user->pw_name) != 0)
			return false;
	return true;
}

static bool is_foreign_group(const struct path_guard *guard, gid_t gid)
{
	return gid != 0 && !is_private_group(guard, gid);
}

static bool lets_others_write(const struct path_guard *guard,
			      const struct posix_acl_xattr_entry *entry)
{
	unsigned tag = le16toh(entry->e_tag), id = le32toh(entry->e_id);

	if (!(le16toh(entry->e_perm) & ACL_WRITE))
		return false;
	return tag == ACL_USER ? is_foreign(guard, id)
			       : tag == ACL_GROUP && is_foreign_group(guard, id);
}

/* True when an access control list lets another user or group write. With such a list the
 * mode's bits for the group are the most that it can permit. Uses the path in /proc, which
 * also works for a descriptor with O_PATH. */
static bool is_open_to_list(const struct path_guard *guard, int fd, const struct stat *status)
{
	char path[64], list[LIST_SIZE];
	struct posix_acl_xattr_entry entry;
	ssize_t size;

	if (!(status->st_mode & S_IWGRP))
		return false;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	size = getxattr(path, "system.posix_acl_access", list, sizeof list);
	if (size < 0)
		return errno == ERANGE;
	for (size_t at = sizeof(struct posix_acl_xattr_header); at + sizeof entry <= (size_t)size;
	     at += sizeof entry) {
		memcpy(&entry, list + at, sizeof entry);
		if (lets_others_write(guard, &entry))
			return true;
	}
	return false;
}

/* How others can change a file or directory. A file without a name, for instance from
 * memfd_create(2), can only be changed by processes that have it open. */
static enum guard_change change_of(const struct path_guard *guard, int fd,
				   const struct stat *status)
{
	if (status->st_nlink == 0 || S_ISCHR(status->st_mode))
		return NO_CHANGE;
	if (is_foreign(guard, status->st_uid))
		return BY_OWNER;
	if (status->st_mode & S_IWOTH)
		return BY_EVERYBODY;
	if ((status->st_mode & S_IWGRP) && is_foreign_group(guard, status->st_gid))
		return BY_GROUP;
	return is_open_to_list(guard, fd, status) ? BY_LIST : NO_CHANGE;
}

/* True for a sticky directory of a trusted user, in which others can't replace that user's
 * files. */
static bool is_sticky(const struct path_guard *guard, const struct stat *status)
{
	return S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) &&
	       !is_foreign(guard, status->st_uid);
}

static void note_culprit(struct path_guard *guard, const char *path, enum guard_change change,
			 const struct stat *status, bool is_changeable)
{
	if (guard->is_changeable)
		return;
	guard->is_changeable = is_changeable;
	guard->change = change;
	guard->status = *status;
	snprintf(guard->culprit, sizeof guard->culprit, "%s", *path ? path : "/");
}

static bool is_procfs(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/* Checks the directory that was reached. Nobody can create files in procfs. */
static int judge_directory(struct walk *walk)
{
	struct path_guard *guard = walk->guard;
	struct stat status;
	enum guard_change change;

	if (fstat(walk->directory, &status) < 0)
		return -1;
	guard->is_shared = guard->is_changeable;
	change = change_of(guard, walk->directory, &status);
	if (change == NO_CHANGE || is_procfs(walk->directory))
		return 0;
	guard->is_shared = true;
	note_culprit(guard, walk->at, change, &status, !is_sticky(guard, &status));
	return 0;
}

/* Sets the reached directory; directory -1: opening it failed. */
static int move_to(struct walk *walk, int directory)
{
	if (directory < 0)
		return -1;
	if (walk->directory >= 0)
		close(walk->directory);
	walk->directory = directory;
	walk->is_recalled = false;
	return judge_directory(walk);
}

/* Restarts at the root or, for a relative path, at the current directory. */
static int start_at(struct walk *walk, const char *path)
{
	strcpy(walk->at, *path == '/' ? "" : ".");
	return move_to(walk, open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int add_name(struct walk *walk, const char *name)
{
	size_t length = strlen(walk->at);
	char *slash = strrchr(walk->at, '/');

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0 && slash) {
		*slash = '\0';
		return 0;
	}
	if (snprintf(walk->at + length, sizeof walk->at - length, "/%s", name) <
	    (int)(sizeof walk->at - length))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int enter(struct walk *walk, const char *name)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int directory = openat(walk->directory, name, flags);

	if (directory >= 0 && add_name(walk, name) < 0) {
		close(directory);
		return -1;
	}
	return move_to(walk, directory);
}

/* Refuses a link that others can have made. In a sticky directory that is a link that
 * another user owns, or one with a second hard link, which anybody can have made. */
static int refuse_planted(const struct walk *walk, const struct stat *link)
{
	struct path_guard *guard = walk->guard;

	if (!guard->is_shared ||
	    (!guard->is_changeable && link->st_nlink == 1 && !is_foreign(guard, link->st_uid)))
		return 0;
	guard->refused_link = true;
	errno = ELOOP;
	return -1;
}

/* Replaces the link's name by its target. */
static int follow(struct walk *walk, const char *name, const struct stat *link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t length;

	if (refuse_planted(walk, link) < 0)
		return -1;
	length = readlinkat(walk->directory, name, target, sizeof target - 1);
	if (length < 0)
		return -1;
	target[length] = '\0';
	if (++walk->links > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	strcpy(rest, walk->rest);
	if (snprintf(walk->rest, sizeof walk->rest, "%s%s%s", target, *rest ? "/" : "", rest) >=
	    (int)sizeof walk->rest) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return *target == '/' ? start_at(walk, target) : 0;
}

/* Takes the next name off the rest, which may begin with slashes. False when it is the
 * last one; "." after a path that ends in a slash. */
static bool next_name(struct walk *walk, char name[static PATH_MAX])
{
	char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");
	char *after = start + length + strspn(start + length, "/");

	memcpy(name, length > 0 ? start : ".", length > 0 ? length : 1);
	name[length > 0 ? length : 1] = '\0';
	memmove(walk->rest, after, strlen(after) + 1);
	return *walk->rest != '\0';
}

/* True for a file with only this name. Name and link count are checked together, because
 * a second name could be removed in between. */
static bool is_sole_name(const struct walk *walk, const char *name, int fd)
{
	struct stat opened, there;

	return fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) &&
	       fstatat(walk->directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       there.st_nlink == 1 && there.st_ino == opened.st_ino &&
	       there.st_dev == opened.st_dev;
}

/* Keeps what was found up to the directory that was reached. It is not true of the one
 * that was kept before. */
static void note_place(const struct walk *walk)
{
	if (!walk->place || walk->is_recalled)
		return;
	path_guard_leave(walk->place);
	copy_guard(&walk->place->guard, walk->guard);
	strcpy(walk->place->at, walk->at);
}

static int open_last(struct walk *walk, const char *name, int flags)
{
	int fd = openat(walk->directory, name, walk->flags | flags | O_CLOEXEC, walk->mode);
	struct stat status;
	enum guard_change change;

	walk->guard->may_be_planted =
		fd >= 0 && walk->guard->is_shared && !is_sole_name(walk, name, fd);
	if (fd < 0 || fstat(fd, &status) < 0)
		return fd;
	change = change_of(walk->guard, fd, &status);
	if (change == NO_CHANGE || is_sticky(walk->guard, &status))
		return fd;
	if (add_name(walk, name) == 0)
		note_culprit(walk->guard, walk->at, change, &status, true);
	return fd;
}

/* The end of the path, which is no link: ELOOP if it is one. */
static int open_end(struct walk *walk, const char *name)
{
	note_place(walk);
	return open_last(walk, name, O_NOFOLLOW);
}

/* Links in procfs are the kernel's own, and their targets need not have a path. */
static int open_in_procfs(struct walk *walk, const char *name)
{
	char path[2 * PATH_MAX];

	walk->links++;
	snprintf(path, sizeof path, "%s%s%s", name, *walk->rest ? "/" : "", walk->rest);
	return open_last(walk, path, 0);
}

/* True when openat(2) with O_NOFOLLOW fails with ELOOP for every link, and does nothing
 * else to it. */
static bool open_shows_links(int flags)
{
	return !(flags & (O_PATH | O_DIRECTORY | O_CREAT));
}

/* Walks from the first directory to the end of the path. */
static int walk_on(struct walk *walk)
{
	char name[PATH_MAX];
	struct stat status;

	for (;;) {
		bool goes_on = next_name(walk, name), is_link;

		if (!goes_on && open_shows_links(walk->flags)) {
			int fd = open_end(walk, name);

			if (fd >= 0 || errno != ELOOP)
				return fd;
		}
		is_link = fstatat(walk->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			  S_ISLNK(status.st_mode);
		if (is_link && is_procfs(walk->directory))
			return open_in_procfs(walk, name);
		if (!is_link && !goes_on)
			return open_end(walk, name);
		if ((is_link ? follow(walk, name, &status) : enter(walk, name)) < 0)
			return -1;
	}
}

static size_t length_of_prefix(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Starts in the directory of place, if path is in it. */
static bool recall(struct walk *walk, const char *path)
{
	struct path_guard_place *place = walk->place;
	size_t length = length_of_prefix(path);

	if (!place || place->directory < 0 || place->guard.trusted != walk->guard->trusted ||
	    length == 0 || strlen(place->prefix) != length ||
	    strncmp(place->prefix, path, length) != 0)
		return false;
	walk->directory = place->directory;
	walk->is_recalled = true;
	place->directory = -1;
	copy_guard(walk->guard, &place->guard);
	strcpy(walk->at, place->at);
	strcpy(walk->rest, path + length);
	return true;
}

/* Keeps the directory for the next path, unless a link led to it; the last name may have
 * been a link. That of a path which ends in a slash is not what stands before the slash. */
static void leave_directory(struct walk *walk, const char *path, bool has_arrived)
{
	struct path_guard_place *place = walk->place;
	size_t length = length_of_prefix(path);
	int error = errno;

	if (place && has_arrived && walk->links == 0 && path[length] != '\0') {
		path_guard_leave(place);
		place->directory = walk->directory;
		if (!walk->is_recalled)
			snprintf(place->prefix, sizeof place->prefix, "%.*s", (int)length, path);
	} else if (walk->directory >= 0) {
		close(walk->directory);
	}
	errno = error;
}

/* The paths of walk are set here; clearing them takes longer than the rest. */
static int open_walking(struct walk *walk, const char *path)
{
	int fd = -1;

	walk->directory = -1;
	walk->links = 0;
	walk->is_recalled = false;
	*walk->at = '\0';
	clear_guard(walk->guard);
	if (!*path || strlen(path) >= sizeof walk->rest) {
		errno = *path ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	strcpy(walk->rest, path);
	if (recall(walk, path) || start_at(walk, path) == 0)
		fd = walk_on(walk);
	leave_directory(walk, path, fd >= 0);
	return fd;
}

int path_guard_open(struct path_guard *guard, const char *path, int flags, mode_t mode)
{
	struct walk walk;

	walk.guard = guard;
	walk.flags = flags;
	walk.mode = mode;
	walk.place = NULL;
	return open_walking(&walk, path);
}

int path_guard_open_near(struct path_guard_place *place, struct path_guard *guard, const char *path,
			 int flags)
{
	struct walk walk;

	walk.guard = guard;
	walk.flags = flags;
	walk.mode = 0;
	walk.place = place;
	return open_walking(&walk, path);
}

void path_guard_leave(struct path_guard_place *place)
{
	if (place->directory >= 0)
		close(place->directory);
	place->directory = -1;
}

int path_guard_open_for_root(const char *path, int flags, mode_t mode)
{
	struct path_guard guard = { .trusted = 0 };
	int fd = path_guard_open(&guard, path, flags, mode);

	if (fd < 0 || !guard.may_be_planted)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

int path_guard_open_place(const char *path, const char **name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	struct path_guard guard = { .trusted = 0 };
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	int length = slash ? (int)(slash - path) + 1 : 0;

	*name = path + length;
	if (snprintf(directory, sizeof directory, "%.*s", length > 0 ? length : 1,
		     length > 0 ? path : ".") >= (int)sizeof directory) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return geteuid() == 0 ? path_guard_open(&guard, directory, flags, 0)
			      : open(directory, flags);
}

const char *path_guard_fault(const struct path_guard *guard, char text[static GUARD_TEXT_SIZE])
{
	unsigned uid = (unsigned)guard->status.st_uid, gid = (unsigned)guard->status.st_gid;

	switch (guard->change) {
	case BY_OWNER:
		snprintf(text, GUARD_TEXT_SIZE, "%s belongs to uid %u", guard->culprit, uid);
		break;
	case BY_GROUP:
		snprintf(text, GUARD_TEXT_SIZE, "%s is writable by gid %u", guard->culprit, gid);
		break;
	case BY_LIST:
		snprintf(text, GUARD_TEXT_SIZE,
			 "%s is writable by whom its access control list "
			 "names",
			 guard->culprit);
		break;
	case BY_EVERYBODY:
	case NO_CHANGE:
		snprintf(text, GUARD_TEXT_SIZE, "%s is writable by everybody", guard->culprit);
		break;
	}
	return text;
}

const char *path_guard_remedy(const struct path_guard *guard, char text[static GUARD_TEXT_SIZE])
{
	static const char *const commands[] = {
		[NO_CHANGE] = "ls -ld",   [BY_OWNER] = "chown root", [BY_EVERYBODY] = "chmod o-w",
		[BY_GROUP] = "chmod g-w", [BY_LIST] = "setfacl -b",
	};

	snprintf(text, GUARD_TEXT_SIZE, "%s %s", commands[guard->change], guard->culprit);
	return text;
}
