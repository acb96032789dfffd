/* A configuration file, read whole. Internal to config. */
#ifndef USHERD_CONFIG_SOURCE_FILE_H
#define USHERD_CONFIG_SOURCE_FILE_H

#include "config/trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct source_file {
	const char *name; /* the path; valid until file_names_forget */
	dev_t device;
	ino_t inode;
	struct timespec changed; /* ctime */
	bool is_foreign;         /* read as root, and not owned by root */
	char *fault;             /* how others can change it, and the remedy; NULL: they can't */
	char *text;              /* not NUL-ended */
	size_t length;
};

/* Reads path if it is a regular file within the size limit, with no link on its path
 * that root must not follow. The caller decides whether to use a file with a fault.
 * Returns 0 with *file filled in (to be given to source_file_clear), or -1 with the
 * reason in *wrong, for a message after the path and a colon; valid until the next
 * call. */
int source_file_read(struct source_file *file, const char *path, struct trust *trust,
		     const char **wrong) __attribute__((warn_unused_result));

void source_file_clear(struct source_file *file);

/* The warning for file->is_foreign. */
extern const char source_file_foreign[];

#endif
