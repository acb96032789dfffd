/* Presets: one line of a service that stands for many. Internal to config.
 *
 * A preset is a list of lines as they would stand in the entry. They are read by the same
 * readers, and printed in place of the preset. A line of the entry itself replaces the one of
 * the preset; += and -= change it. The lines of the preset replace those of defaults, except
 * for how many clients are served at a time. */
#ifndef USHERD_CONFIG_PRESET_H
#define USHERD_CONFIG_PRESET_H

#include "config/entry.h"
#include "config/problem.h"
#include "config/word_list.h"

#include <stdbool.h>

/* How a line of a preset is taken; a bit each. */
enum {
	PRESET_FOR_CONNECTIONS = 1,    /* only for TCP services with wait = no */
	PRESET_UNLESS_IN_DEFAULTS = 2, /* only where defaults does not set it */
};

struct preset_line {
	const char *attribute; /* NULL: the end of a preset */
	const char *values;    /* words with blanks in between; "": set to nothing */
	unsigned when;
};

/* The lines of the preset of that name, in any case; NULL: there is none. */
const struct preset_line *preset_lines(const char *name);

/* Gives the entry of a service the lines of its preset, if it has one and a server of its own
 * to which they can apply. defaults: the words of defaults, by attribute. False, reported,
 * when memory runs out. */
bool preset_apply(struct entry *entry, const struct word_list *defaults, struct problems *problems)
	__attribute__((warn_unused_result));

#endif
