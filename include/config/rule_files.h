/* Files of rules for only_from and no_access: a word @FILE stands for the words in FILE, one
 * on each line, with blank lines and comments that begin with #. Each file is read once per
 * load, and all lists that name it share its rules. Internal to config. */
#ifndef USHERD_CONFIG_RULE_FILES_H
#define USHERD_CONFIG_RULE_FILES_H

#include "config/access_list.h"
#include "config/problem.h"
#include "config/trust.h"

#include <stdbool.h>

struct rule_files;

/* Problems of the files go to problems; trust judges them as other configuration files.
 * Both are borrowed. advise: also give advice. NULL with errno. */
struct rule_files *rule_files_new(struct trust *trust, struct problems *problems, bool advise);

/* Releases the files' rules. NULL is harmless. */
void rule_files_free(struct rule_files *files);

/* The rules of the file with that absolute path; files has the reference. NULL when it can't be
 * used, with the reason in *wrong, for a message after the word, valid until the next call.
 * The errors in the file itself are reported at its lines, once. */
struct rule_set *rule_files_find(struct rule_files *files, const char *path, const char **wrong);

/* True for a word that names a file of rules. */
static inline bool names_rule_file(const char *word)
{
	return word[0] == '@';
}

#endif
