/* The check of the attributes that take privileges from a session, see check.h. */
#ifndef USHERD_CONFIG_CHECK_PRIVILEGES_H
#define USHERD_CONFIG_CHECK_PRIVILEGES_H

#include "config/settings.h"

enum {
	PRIVILEGES_TEXT_SIZE = 512,
	FILE_PATHS_MAX = 256, /* of one of allow_read, allow_write and allow_execute */
	FILE_RULES_FILES = 5, /* descriptors that a child needs to apply them */
};

/* What is wrong with them, written to text; NULL: nothing. Reads the first bytes of the program
 * to see what else must be allowed to run. */
const char *privileges_fault(const struct service_settings *service,
			     char text[static PRIVILEGES_TEXT_SIZE]);

#endif
