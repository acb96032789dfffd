/* The bans (bans.h) in a file, so that they outlive the daemon: ban_file in the daemon entry.
 *
 * A change is written after BAN_FILE_DELAY_MS, by a worker, together with all that came
 * meanwhile: a flood of bans costs a writing a second. The new file replaces the old one,
 * so a reader sees a whole one. Loop thread only. */
#ifndef USHERD_MONITOR_BAN_FILE_H
#define USHERD_MONITOR_BAN_FILE_H

#include "base/address.h"

#include <stdint.h>

enum {
	BAN_FILE_DELAY_MS = 1000,
	BAN_FILE_RETRY_MS = 60000, /* after a writing that failed */
};

/* From now on the bans are kept in the file with that absolute path; NULL: in none. Adds the
 * bans that are in it, and tells each to added, with the end in milliseconds of clock_now.
 * The file before stays as it is. Nothing happens if it is the same file.
 *
 * What can't be read is logged. A file that is no ban file, or that others can change, is
 * neither read nor written. */
void ban_file_use(const char *path,
		  void (*added)(const struct address *address, uint64_t until, void *context),
		  void *context);

/* The bans have changed. */
void ban_file_changed(void);

/* Writes what is not written yet, before the daemon ends. */
void ban_file_finish(void);

#endif
