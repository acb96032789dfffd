/* What works, or at least starts, and still deserves a remark: for those who
 * have the configuration checked. Internal to config. */
#ifndef USHERD_CONFIG_ADVICE_H
#define USHERD_CONFIG_ADVICE_H

#include "config/settings.h"
#include "config/word_list.h"

/* Of a service that will be started. Needs service->places. */
void advise_of_service(const struct service_settings *service, struct problems *problems);

/* Of what a service's own entry adds to its access lists, or, where file is NULL,
 * of what defaults has. */
void advise_of_access(const struct service_settings *service, struct problems *problems);

/* Of everything together, once every service is there. enabled and disabled are
 * what defaults says. */
void advise_of_settings(const struct settings *settings, const struct word_list *enabled,
			const struct word_list *disabled, struct problems *problems);

#endif
