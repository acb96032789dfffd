/* A file that the frontend writes and the monitor puts in its place: a new file beside the
 * old one, which then replaces it. Readers see a whole file, and a link with that name is
 * replaced, not followed. Loop thread only. */
#ifndef USHERD_MONITOR_HANDED_FILE_H
#define USHERD_MONITOR_HANDED_FILE_H

#include "base/timer.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How long the frontend may take to write it. */
enum { HANDED_FILE_MS = 10000 };

/* All zero at first, but for failed. */
struct handed_file {
	/* It was not written, for that errno. */
	void (*failed)(struct handed_file *file, int error);

	/* The room's own. */
	char path[PATH_MAX];
	bool is_open;
	uint64_t ticket;  /* of what is being written; may be read */
	int directory;    /* the file's */
	const char *name; /* in directory */
	char temporary[NAME_MAX + 1];
	struct timer deadline;
};

/* A descriptor to write the file with that absolute path to, the caller's to close. -1: it can't
 * be opened, of which failed is told, or the previous one is still being written. */
int handed_file_open(struct handed_file *file, const char *path, mode_t mode);

/* What had that ticket is written: replaces the old one. False: failed was told, or it is not what
 * is being written: its answer came late. */
bool handed_file_finish(struct handed_file *file, uint64_t ticket);

/* It will not be finished: removes it, and tells failed. Harmless when none is being written. */
void handed_file_give_up(struct handed_file *file, int error);

#endif
