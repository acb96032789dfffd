/* Reads configuration files, and those that they include, into entries. Internal
 * to config. */
#ifndef USHERD_CONFIG_ENTRY_FILES_H
#define USHERD_CONFIG_ENTRY_FILES_H

#include "config/entry.h"
#include "config/problem.h"
#include "config/trust.h"

#include <stdbool.h>

struct entry_files {
	struct entry_queue *entries; /* where they are appended, in the order they stand */
	struct problems *problems;
	struct trust *trust;
	bool is_in_distrusted; /* enough was said: it reads below a directory that is refused */
	bool advise;       /* also tell of what includedir passes over */
	bool lost_entries; /* some file or text that may have been entries was not read */
	bool refused;      /* something that the whole load depends on is wrong */
	size_t file_count, entry_count, size; /* read so far; at most as bounds.h says */
	bool is_full;      /* one of them is, and was reported: nothing more is read */
};

/* Reads path and whatever it includes. */
void entry_files_read(struct entry_files *files, const char *path);

#endif
