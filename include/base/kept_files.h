/* Open files that wait, by the path they were opened by, for who is to have them. */
#ifndef USHERD_BASE_KEPT_FILES_H
#define USHERD_BASE_KEPT_FILES_H

#include <stdbool.h>

/* NULL is none. */
struct kept_file;

/* Keeps fd, the callee's from then on, in the place of one that was kept for that path,
 * which is closed. False for want of memory: nothing has changed, fd is the caller's. */
bool kept_files_add(struct kept_file **files, const char *path, int fd)
	__attribute__((warn_unused_result));

bool kept_files_have(const struct kept_file *files, const char *path);

/* Gives away the one of that path. -1: there is none. */
int kept_files_take(struct kept_file **files, const char *path);

/* Closes all that are left. */
void kept_files_close(struct kept_file **files);

#endif
