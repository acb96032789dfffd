/* Reads configuration files, and those that they include, into entries. Internal
 * to config. */
#ifndef USHERD_CONFIG_ENTRY_FILES_H
#define USHERD_CONFIG_ENTRY_FILES_H

#include "config/entry.h"
#include "config/problem.h"
#include "config/settings.h"
#include "config/trust.h"

#include <stdbool.h>

struct entry_files {
	struct entry_queue *entries; /* those of services, appended in the order of the files */
	struct entry_queue *common;  /* the others */
	struct problems *problems;
	struct trust *trust;
	struct settings *settings; /* whose sources are noted */
	bool is_in_distrusted;     /* reading below a refused directory, which was reported */
	bool advise;               /* also report files that includedir skips */
	bool lost_entries;         /* a file or text that may contain entries was not read */
	bool refused;              /* an error that makes the whole load fail */
	size_t file_count, entry_count, size; /* read so far; limits in bounds.h */
	bool is_full; /* a limit is reached, which was reported: nothing more is read */
};

/* Reads path and the files that it includes. */
void entry_files_read(struct entry_files *files, const char *path);

/* The same with text that is in no file; name stands for it in problems. */
void entry_files_read_text(struct entry_files *files, const char *name, const char *text);

#endif
