/* The texts of a service with what its placeholders stand for in one session. */
#ifndef USHERD_MONITOR_EXPANSION_H
#define USHERD_MONITOR_EXPANSION_H

#include "base/address.h"
#include "config/settings.h"
#include "monitor/environment.h"
#include "monitor/jail_plan.h"

/* Valid as long as its settings; a text without placeholders is the settings' own. */
struct expansion {
	char **argv;        /* NULL-ended */
	char **environment; /* in place of the settings' environment, as long as that */
	const char *directory;
	char *texts[]; /* all of them, followed by what they point to */
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

/* A plan for the session's jail with its own paths of scratch, to be freed with free(3); the rest
 * is that of plan. NULL with errno ENOMEM. */
struct jail_plan *expansion_plan(const struct jail_plan *plan,
				 const struct service_settings *settings,
				 const struct session_facts *facts);

/* True when settings use the placeholder %slot. */
bool expansion_needs_slot(const struct service_settings *settings);

#endif
