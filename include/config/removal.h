/* Removes words of an access list by their meaning, as xinetd does: 10.0.0.0 removes
 * 10.0.0.0/8, and 10.1.1.0/24 a part of 10.1.{1,2}. Every word is looked at once, however
 * many are removed. Internal to config. */
#ifndef USHERD_CONFIG_REMOVAL_H
#define USHERD_CONFIG_REMOVAL_H

#include "config/access_list.h"

struct removal;

/* NULL when memory runs out. */
struct removal *removal_new(void);

/* NULL is harmless. */
void removal_free(struct removal *removal);

/* Adds a word of the list; words have the numbers from 0 on. False when memory runs out. */
bool removal_add(struct removal *removal, const char *word) __attribute__((warn_unused_result));

/* Removes all rules with that text, in any case, or with one of its meanings. Sets *any:
 * whether there were any. False when memory runs out. */
bool removal_take(struct removal *removal, const char *word, bool *any)
	__attribute__((warn_unused_result));

/* How many words are left, at least in part. */
size_t removal_left(const struct removal *removal);

/* True when a word that names a file of rules is left. */
bool removal_has_file(const struct removal *removal);

enum remains { REMAINS_WHOLE, REMAINS_IN_PART, REMAINS_NOT };

/* What is left of word number `number`. */
enum remains removal_remains(const struct removal *removal, size_t number);

/* True when rule number `rule` of a word that remains in part is left. */
bool removal_has_rule(const struct removal *removal, size_t number, size_t rule);

#endif
