/* Opens a file and looks at everything on the way to it: the directories up to
 * the root, the symbolic links and the directories they stand in, and the file.
 *
 * Somebody other than root and one trusted user "can change" a file or directory
 * that is not theirs, that everybody may write to, that an access control list lets
 * others write to, or that a group may write to other than gid 0 and the one that
 * bears the trusted user's name and has nobody else in it. A sticky directory of
 * theirs is safe for what they own in it. A symbolic link that somebody else can have
 * laid is never followed. */
#ifndef USHERD_BASE_PATH_GUARD_H
#define USHERD_BASE_PATH_GUARD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

enum guard_change { NO_CHANGE, BY_OWNER, BY_EVERYBODY, BY_GROUP, BY_LIST };

struct path_guard {
	uid_t trusted;          /* besides root; 0: nobody. Set by the caller */
	bool is_changeable;     /* somebody else can change culprit ... */
	char culprit[PATH_MAX]; /* the first such file or directory on the way; if there is
				 * none, a sticky directory in which others can lay files */
	struct stat status;     /* of culprit */
	enum guard_change change; /* of culprit: how */
	bool is_shared;         /* the file is where others can lay files */
	bool may_be_planted;    /* it is, and what was opened is not regular, such as a pipe
				 * that they read, or may be a second name of some file of
				 * root's: nothing that root should write to, or show */
	bool refused_link;      /* why there is no descriptor: a link in culprit, or below */
};

/* Opens path as openat(2) would with these flags, O_CLOEXEC added, and fills in
 * the rest of guard. A relative path is looked at from the current directory
 * on. Returns the descriptor, or -1 with errno; ELOOP with guard->refused_link
 * where a link is not followed. */
int path_guard_open(struct path_guard *guard, const char *path, int flags, mode_t mode)
	__attribute__((warn_unused_result));

/* The last directory that path_guard_open_near walked to: open, and what guard found on
 * the way. With directory -1 it is empty. */
struct path_guard_place {
	int directory;
	char prefix[PATH_MAX]; /* of the paths in it, with the slash; its ... */
	char at[PATH_MAX];     /* ... name as it is told */
	struct path_guard guard;
};

/* path_guard_open for reading many files of one directory: it walks there once, for as
 * long as place is kept. */
int path_guard_open_near(struct path_guard_place *place, struct path_guard *guard,
			 const char *path, int flags) __attribute__((warn_unused_result));

/* Empties it. */
void path_guard_leave(struct path_guard_place *place);

/* The same as path_guard_open for root alone, who must not be led to another file: EPERM for what may be
 * planted. */
int path_guard_open_for_root(const char *path, int flags, mode_t mode)
	__attribute__((warn_unused_result));

/* Opens the directory that path is in, for the functions that end in -at(2), and
 * tells the last name, which is part of path. As root no link is followed that
 * others can have laid. Returns a descriptor, or -1 with errno. */
int path_guard_open_place(const char *path, const char **name) __attribute__((warn_unused_result));

enum { GUARD_TEXT_SIZE = PATH_MAX + 128 };

/* What is wrong with culprit, "DIRECTORY is writable by everybody", in text. */
const char *path_guard_fault(const struct path_guard *guard, char text[static GUARD_TEXT_SIZE]);

/* The command that mends it, "chmod o-w DIRECTORY", in text. */
const char *path_guard_remedy(const struct path_guard *guard, char text[static GUARD_TEXT_SIZE]);

#endif
