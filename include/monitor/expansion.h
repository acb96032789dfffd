/* The texts of a service with what its placeholders stand for in one session. */
#ifndef USHERD_MONITOR_EXPANSION_H
#define USHERD_MONITOR_EXPANSION_H

#include "base/address.h"
#include "config/settings.h"
#include "monitor/environment.h"

/* Valid as long as its settings; a text without placeholders is the settings' own. */
struct expansion {
	char **argv;        /* NULL-ended */
	char **environment; /* in place of the settings' environment, as long as that */
	char *texts[];      /* both lists, followed by their texts */
};

/* For a session of settings, which use placeholders, that serves peer. argv has at its
 * beginning `fixed` words that are not expanded. NULL with errno ENOMEM; otherwise to be
 * freed with free(3). */
struct expansion *expansion_new(const struct service_settings *settings, const struct address *peer,
				const struct session_facts *facts, char *const argv[],
				size_t fixed);

/* Puts the expanded variables in place of the settings' own into what environment_fill has
 * returned. */
void expansion_apply(const struct expansion *expansion, const struct service_settings *settings,
		     char **environment);

/* True when settings use the placeholder %slot. */
bool expansion_needs_slot(const struct service_settings *settings);

#endif
