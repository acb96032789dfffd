/* Opens files with the rights of another user than the daemon's own. */
#ifndef USHERD_BASE_USER_FILE_H
#define USHERD_BASE_USER_FILE_H

#include <sys/types.h>

enum { USER_NOBODY = 65534 }; /* uid and gid without any rights */

/* Opens path for reading as open(2) would for uid and gid, and no other group, with
 * O_NONBLOCK, because a named pipe could block. For root, links that others can have
 * made are not followed, and a file that may be a hard link of theirs is refused with
 * EPERM (path_guard.h). Without root's rights it opens with the rights of the process.
 * Not for the loop thread: the calling thread's rights change during the call. Returns a
 * descriptor, or -1 with errno. */
int user_file_open(const char *path, uid_t uid, gid_t gid) __attribute__((warn_unused_result));

#endif
