/* What sessions must not do: no_new_privs, capabilities, system calls, files. The monitor finds
 * out whether this kernel can refuse it when it reads the configuration, and then makes the
 * filters that a child loads. Loop thread only, but for the steps of a child. */
#ifndef USHERD_MONITOR_PRIVILEGES_H
#define USHERD_MONITOR_PRIVILEGES_H

#include "config/settings.h"

#include <stdbool.h>

/* Gets ready what the service needs, and sets service->program->filters, which is borrowed until
 * privileges_forget: a generation has copies. NULL when all can be kept; otherwise the attribute
 * that can't, and *reason. Settings in a generation have theirs. */
const char *privileges_prepare(struct service_settings *service, const char **reason);

/* Frees the filters that were made. */
void privileges_forget(void);

/* --- steps of a child; 0, or -1 with errno -------------------------------------------------- */

int privileges_end_new(const struct service_settings *service);
int privileges_restrict_files(const struct service_settings *service);
/* inherits: it has FILTER_INHERITED from the thread that has started it. */
int privileges_filter_calls(const struct service_settings *service, bool inherits);

#endif
