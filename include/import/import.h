/* Files of other programs, written anew as service entries of usherd: units of systemd,
 * command lines of socat, variables of redpwn/jail, nsjail.cfg and lines of inetd.conf. What
 * has no counterpart is listed after the entries, as comments. Nothing is started, and no
 * file but those that are named, and a unit's neighbour, is read. */
#ifndef USHERD_IMPORT_IMPORT_H
#define USHERD_IMPORT_IMPORT_H

#include "config/problem.h"
#include "import/files.h"

#include <stddef.h>

/* The text of the entries and comments, to be freed, for at most IMPORT_FILES_ALL files. The kind
 * of a file is known by its content. A file that is of no known kind, or makes no entry, is an
 * ERROR in problems; the others are converted. directory is where relative programs are looked
 * for. NULL when memory ran out. */
char *import_convert(const struct import_file *files, size_t count, const char *directory,
		     struct problems *problems) __attribute__((warn_unused_result));

/* The same for files by their paths, NULL-ended, at most IMPORT_FILES_MAX; prints the text on
 * standard output, and problems on standard error. A .socket without its .service is looked
 * for beside it. The exit status: 0, or 1 when there was an error. */
int import_print(const char *const *paths);

#endif
