/* Paths inside of another root directory, by openat2(2): absolute paths and links are followed
 * as if the directory were "/", and nothing leads out of it. */
#ifndef USHERD_BASE_PATH_IN_ROOT_H
#define USHERD_BASE_PATH_IN_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum path_links {
	PATH_FOLLOW_LINKS, /* but those of procfs, which lead anywhere */
	PATH_NO_LINKS,     /* ELOOP for a path with a link: somebody may have planted it */
};

/* Opens the path in root, a descriptor of a directory; O_CLOEXEC is added. No file is created.
 * Only system calls. Returns a descriptor, or -1 with errno; ENOSYS before Linux 5.6. */
int path_in_root_open(int root, const char *path, int flags, enum path_links links)
	__attribute__((warn_unused_result));

/* Writes where the path in that directory really is, as the host sees it. 0, or -1 with errno. */
int path_in_root_find(const char *root, const char *path, char real[static PATH_MAX])
	__attribute__((warn_unused_result));

/* Who may change what is in a root. */
struct path_user {
	uid_t uid;
	gid_t gid;
	bool has_groups;       /* besides gid, whichever they are */
	bool is_mighty;        /* has CAP_DAC_OVERRIDE or CAP_FOWNER */
	char *const *writable; /* directories in the root; all others are read-only */
	size_t count;
	bool all_are_writable; /* there are no others */
};

/* True when that user could give another name to a directory above that of the absolute path, so
 * that another one could take its place, or make one that is not there; where says in which
 * directory. By owner, group and mode alone. */
bool path_in_root_can_move(const struct path_user *user, int root, const char *path,
			   char where[static PATH_MAX]);

/* The rest of an absolute path below that directory, "" for the directory itself; NULL: it is not
 * in it. By their names alone: more than one slash, and ".", make no difference. */
const char *path_below(const char *directory, const char *path);

#endif
