/* Opens files with the rights of another user than the daemon's own. */
#ifndef USHERD_BASE_USER_FILE_H
#define USHERD_BASE_USER_FILE_H

#include <sys/types.h>

enum { USER_NOBODY = 65534 }; /* uid and gid of whoever has no rights of their own */

/* Opens path for reading as open(2) would for uid and gid, and no other group:
 * O_NONBLOCK, so that no named pipe holds anybody up. Where that is root, links
 * that others can have laid are not followed, and what may be a second name that
 * they gave a file is refused with EPERM (path_guard.h). Without root's rights it
 * opens with those there are. For a thread other than the loop's: the
 * thread's own rights change meanwhile. Returns a descriptor, or -1 with errno. */
int user_file_open(const char *path, uid_t uid, gid_t gid) __attribute__((warn_unused_result));

#endif
