/* What a form of the status (status.h) consists of. */
#ifndef USHERD_FRONTEND_STATUS_PARTS_H
#define USHERD_FRONTEND_STATUS_PARTS_H

#include "frontend/service.h"

#include <stdbool.h>
#include <stdio.h>

struct status_part;

/* A status that is being written. */
struct status_walk {
	FILE *out;
	const struct status_part *part;
	bool is_ambiguous;     /* another service has the id of this one; only for sorted forms */
	const char *separator; /* the part's, NULL when it begins */
	size_t shown;          /* the part's: what it has listed, 0 when it begins */
};

/* A part: what is written once, then what is written for each service. Any may be NULL; a part
 * without both is the end. */
struct status_part {
	void (*once)(struct status_walk *walk);
	void (*each)(struct status_walk *walk, const struct service *service);
	void (*end)(struct status_walk *walk); /* after each */
	bool is_for_draining;                  /* each: those that are removed, too */
	const void *data;
};

extern const struct status_part status_table_parts[], status_json_parts[], status_metrics_parts[];

#endif
