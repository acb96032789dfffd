/* Advice: services that start, but have something that deserves a look. For -check.
 * Internal to config. */
#ifndef USHERD_CONFIG_ADVICE_H
#define USHERD_CONFIG_ADVICE_H

#include "config/settings.h"
#include "config/word_list.h"

/* For a service that will be started. Needs service->places. */
void advise_of_service(const struct service_settings *service, struct problems *problems);

/* For the words that a service's own entry adds to its access lists or, if
 * service->file is NULL, for those of defaults. */
void advise_of_access(const struct service_settings *service, struct problems *problems);

/* For all services together, once every service is known. enabled and disabled are
 * those of defaults. */
void advise_of_settings(const struct settings *settings, const struct word_list *enabled,
			const struct word_list *disabled, struct problems *problems);

#endif
