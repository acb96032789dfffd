/* A configuration file, read whole. Internal to config. */
#ifndef USHERD_CONFIG_SOURCE_FILE_H
#define USHERD_CONFIG_SOURCE_FILE_H

#include "config/trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct source_file {
	const char *name; /* the path; kept for good */
	dev_t device;
	ino_t inode;
	bool is_foreign; /* read as root, and not root's */
	char *fault;     /* how others can change it, and what mends that; NULL: they can't */
	char *text;      /* not NUL-ended */
	size_t length;
};

/* Reads path if it is fit to be configuration: a regular file of bounded size,
 * with no link on the way that root must not follow. Whether one with a fault is
 * used is the caller's decision. Returns 0 with *file filled in (to be given to
 * source_file_clear), or -1 with *wrong saying why, in words that follow the path
 * and a colon; valid until the next call. */
int source_file_read(struct source_file *file, const char *path, struct trust *trust,
		     const char **wrong) __attribute__((warn_unused_result));

void source_file_clear(struct source_file *file);

/* What to warn of when file->is_foreign. */
extern const char source_file_foreign[];

#endif
