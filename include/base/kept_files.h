/* Open files, kept under their paths until they are taken. */
#ifndef USHERD_BASE_KEPT_FILES_H
#define USHERD_BASE_KEPT_FILES_H

#include <stdbool.h>

/* NULL: no files. */
struct kept_file;

/* Takes fd over and keeps it. Closes a file that was kept for that path. False: out of memory,
 * nothing has changed, the caller still owns fd. */
bool kept_files_add(struct kept_file **files, const char *path, int fd)
	__attribute__((warn_unused_result));

bool kept_files_have(const struct kept_file *files, const char *path);

/* Gives the file of that path to the caller. -1: there is none. */
int kept_files_take(struct kept_file **files, const char *path);

/* Closes all that are left. */
void kept_files_close(struct kept_file **files);

#endif
