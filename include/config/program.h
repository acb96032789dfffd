/* Whether a user can run a program, or use a file, as far as files and their
 * modes tell.
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

/* What keeps identity from running the program at path, an absolute one: a
 * directory that is closed to it, the program's mode, or an interpreter (#!) that
 * is not there. A sentence part in text, or NULL: nothing that could be seen. */
const char *program_obstacle(const char *path, const struct identity *identity,
			     char text[static OBSTACLE_SIZE]);

/* How others can change the program, or an interpreter of it, in fault; NULL: they
 * can't, or it could not be seen. */
const char *program_fault(const char *path, struct trust *trust,
			  char fault[static TRUST_TEXT_SIZE]);

/* As program_obstacle, for reading a file, and for
 * appending to one, or making it. */
const char *reading_obstacle(const char *path, const struct identity *identity,
			     char text[static OBSTACLE_SIZE]);
const char *appending_obstacle(const char *path, const struct identity *identity,
			       char text[static OBSTACLE_SIZE]);

#endif
