#define SYSLOG_NAMES
#include "base/syslog_names.h"

#include <stddef.h>
#include <strings.h>
#include <syslog.h>

static int find_code(const CODE *codes, const char *name)
{
	for (; codes->c_name; codes++)
		if (strcasecmp(codes->c_name, name) == 0)
			return codes->c_val;
	return -1;
}

int syslog_facility(const char *name)
{
	int facility = find_code(facilitynames, name);

	return facility == INTERNAL_MARK ? -1 : facility;
}

int syslog_level(const char *name)
{
	int level = find_code(prioritynames, name);

	return level > LOG_DEBUG ? -1 : level;
}
