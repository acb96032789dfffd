/* The text of a service as -print writes it, and by which a reload tells whether the service has
 * changed: one line for each attribute that is set, by the entry or by defaults. Internal to
 * config. */
#ifndef USHERD_CONFIG_CANONICAL_H
#define USHERD_CONFIG_CANONICAL_H

#include "config/attributes.h"
#include "config/settings.h"
#include "config/word_list.h"

#include <stdbool.h>

/* Adds the attribute's line to the text, without retired words, which leave the list; no line if
 * no words are left. Notes in the service where the line of its log is. */
void canonical_add(struct text *canonical, struct service_settings *service,
		   const struct attribute *attribute, struct word_list *list);

/* Makes the word that is the path of a file absolute, as the text must not depend on the
 * directory, which is that one. False, reported: it can't be had. */
bool canonical_make_absolute(struct word_list *list, const struct attribute *attribute,
			     const char *directory, struct problems *problems);

#endif
