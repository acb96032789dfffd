/* Whether a user can run a program or use a file, judged by files and their modes.
 * Internal to config. */
#ifndef USHERD_CONFIG_PROGRAM_H
#define USHERD_CONFIG_PROGRAM_H

#include "config/trust.h"

#include <stddef.h>
#include <sys/types.h>

struct identity {
	const char *name; /* for messages */
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary */
	size_t groups_count;
};

enum { OBSTACLE_SIZE = 512 };

/* What keeps identity from running the program at path, an absolute one: a directory it
 * may not search, the program's mode, or a missing interpreter (#!). A part of a
 * sentence in text, or NULL: nothing was found. */
const char *program_obstacle(const char *path, const struct identity *identity,
			     char text[static OBSTACLE_SIZE]);

/* Returns fault, which then says how others can change the program or its interpreter. NULL:
 * they can't, or it could not be checked. root: the directory that both are looked up in; NULL:
 * the host's. */
const char *program_fault(const char *root, const char *path, struct trust *trust,
			  char fault[static TRUST_TEXT_SIZE]);

/* As program_obstacle, for reading a file, and for appending to or creating one. */
const char *reading_obstacle(const char *path, const struct identity *identity,
			     char text[static OBSTACLE_SIZE]);
const char *appending_obstacle(const char *path, const struct identity *identity,
			       char text[static OBSTACLE_SIZE]);

#endif
