/* Advice on words that mean another address than they seem to, or none. Internal to
 * config. */
#ifndef USHERD_CONFIG_ADVICE_ADDRESSES_H
#define USHERD_CONFIG_ADVICE_ADDRESSES_H

#include "config/settings.h"

/* For the rules of an access list. */
void advise_of_odd_words(const struct access_list *list, struct problems *problems);

/* For the words of bind, which is set at that place. */
void advise_of_bind_words(const struct service_settings *service, struct place place,
			  struct problems *problems);

#endif
