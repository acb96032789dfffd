/* What can be asked about a configuration without running it. Each prints its
 * answer and returns the exit status. */
#ifndef USHERD_INSPECT_H
#define USHERD_INSPECT_H

#include "config/loader.h"

#include <stdbool.h>

/* Every problem with file:line and remedy, as text or as one JSON array. 0, or
 * 1 when some service, or the whole, would not be started. */
int inspect_check(const struct load_options *options, bool as_json);

/* The effective configuration as canonical entries. */
int inspect_print(const struct load_options *options);

/* Whether the service would admit address at the time (H:MM; NULL: now), and
 * which rule on which line decides. 0: it would, 1: it would not, or there is no
 * such service. */
int inspect_explain(const struct load_options *options, const char *service, const char *address,
		    const char *time);

#endif
