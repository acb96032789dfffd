/* The files that are imported, and how much of them is read. */
#ifndef USHERD_IMPORT_FILES_H
#define USHERD_IMPORT_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct import_file {
	const char *name;
	const char *text; /* not NUL-ended */
	size_t length;
	bool is_companion; /* not asked for by name: of no interest unless another one needs it */
};

enum {
	IMPORT_FILES_MAX = 64,                   /* that are named */
	IMPORT_FILES_ALL = 3 * IMPORT_FILES_MAX, /* with companions */
	IMPORT_SIZE_MAX = 256 * 1024,            /* of a file */
	IMPORT_ENTRIES_MAX = 1000
};

#endif
