/* The names of capabilities(7). Pure. */
#ifndef USHERD_CONFIG_CAPABILITY_NAMES_H
#define USHERD_CONFIG_CAPABILITY_NAMES_H

/* The number of the capability with that name, in any case, with or without CAP_; -1: there is
 * none. */
int capability_number(const char *name);

/* Its name without CAP_; NULL for a number that has none. */
const char *capability_name(int number);

/* The name nearest to a misspelt one, without CAP_; NULL when none is near. */
const char *capability_nearest(const char *name);

#endif
