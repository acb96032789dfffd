/* Opens a file and checks everything on its path: the directories up to the root, the
 * symbolic links and their directories, and the file.
 *
 * Only root and one trusted user are trusted. Others "can change" a file or directory
 * that belongs to another user; that everybody may write to; that an access control
 * list lets others write to; or that a group may write to. The group may be gid 0, or
 * the group with the trusted user's name and no other members. A sticky directory of a
 * trusted user is safe for that user's files in it. A symbolic link that others can
 * have made is never followed. */
#ifndef USHERD_BASE_PATH_GUARD_H
#define USHERD_BASE_PATH_GUARD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

enum guard_change { NO_CHANGE, BY_OWNER, BY_EVERYBODY, BY_GROUP, BY_LIST };

struct path_guard {
	uid_t trusted;            /* besides root; 0: nobody. Set by the caller */
	bool is_changeable;       /* others can change culprit ... */
	struct stat status;       /* of culprit */
	enum guard_change change; /* of culprit: how */
	bool is_shared;           /* others can create files in the file's directory */
	bool may_be_planted;      /* is_shared, and the file is not regular, such as a pipe that
				 * they read, or may be a hard link to a file of root: root
				 * should not write to it or show it */
	bool refused_link;        /* a link in culprit, or below, was not followed */
	char culprit[PATH_MAX];   /* the first such file or directory on the path; if there is
				 * none, a sticky directory in which others can create files */
};

/* Opens path as openat(2) would with these flags, O_CLOEXEC added, and fills in
 * the rest of guard. A relative path is checked from the current directory on. Returns
 * the descriptor, or -1 with errno; ELOOP with guard->refused_link where a link is not
 * followed. */
int path_guard_open(struct path_guard *guard, const char *path, int flags, mode_t mode)
	__attribute__((warn_unused_result));

/* The directory that path_guard_open_near checked last. */
struct path_guard_place {
	int directory;           /* open; -1: there is none */
	char prefix[PATH_MAX];   /* of the paths in it, with the slash */
	char at[PATH_MAX];       /* its name for messages */
	struct path_guard guard; /* what was found on its path */
};

/* path_guard_open for reading many files of one directory: the path of the directory is
 * checked only once, as long as place is kept. */
int path_guard_open_near(struct path_guard_place *place, struct path_guard *guard, const char *path,
			 int flags) __attribute__((warn_unused_result));

/* Closes the directory. */
void path_guard_leave(struct path_guard_place *place);

/* path_guard_open with root alone trusted. EPERM for a file with may_be_planted. */
int path_guard_open_for_root(const char *path, int flags, mode_t mode)
	__attribute__((warn_unused_result));

/* Opens the directory of path, for functions such as openat(2), and sets *name to the
 * last part of path. As root it follows no link that others can have made. Returns a
 * descriptor, or -1 with errno. */
int path_guard_open_place(const char *path, const char **name) __attribute__((warn_unused_result));

enum { GUARD_TEXT_SIZE = PATH_MAX + 128 };

/* What is wrong with culprit, "DIRECTORY is writable by everybody", in text. */
const char *path_guard_fault(const struct path_guard *guard, char text[static GUARD_TEXT_SIZE]);

/* The command that corrects it, "chmod o-w DIRECTORY", in text. */
const char *path_guard_remedy(const struct path_guard *guard, char text[static GUARD_TEXT_SIZE]);

#endif
