/* Tables that say which attribute an option of another program becomes, and how its value is
 * converted. Internal to import. */
#ifndef USHERD_IMPORT_RULES_H
#define USHERD_IMPORT_RULES_H

#include "import/draft.h"

#include <stdint.h>

struct rule;

/* Writes a value to the draft. False: the value has no counterpart, or is not understood. */
typedef bool convert(struct draft *draft, const struct rule *rule, struct span value);

struct rule {
	const char *option;
	const char *attribute;
	convert *convert;
	const char *word; /* for some converters */
	const char *why;  /* without a converter: why there is no counterpart; NULL: none is
			   * needed, because it is always so */
};

/* The end of a table. */
#define RULES_END \
	{ \
		.option = NULL \
	}

/* The rule for an option, in any case; NULL. */
const struct rule *rule_find(const struct rule *rules, struct span option);

/* Applies the rule of the option, and notes what has none or whose value is not understood.
 * what is how the note calls it. */
void rules_apply(const struct rule *rules, struct draft *draft, struct span option,
		 struct span value);

/* --- converters ---------------------------------------------------------------------------- */

convert convert_word;      /* the value as one word */
convert convert_list;      /* the words of the value are added */
convert convert_commas;    /* the parts between commas are the words */
convert convert_number;    /* a decimal number */
convert convert_limit;     /* a number; 0 or infinity: UNLIMITED */
convert convert_size;      /* bytes, K M G T; infinity: UNLIMITED */
convert convert_mebibytes; /* a number of MiB */
convert convert_kibibytes; /* a number of KiB */
convert convert_time;      /* a time span, such as "1min 30s"; 0 or infinity: 0 */
convert convert_yes_no;
convert convert_flag;         /* true: rule->word is added to flags */
convert convert_true;         /* true: the attribute is rule->word */
convert convert_false;        /* false: the attribute is rule->word */
convert convert_fixed;        /* the attribute is rule->word, whatever the value is */
convert convert_octal;        /* a mode */
convert convert_nice;         /* -20 to 19 */
convert convert_path;         /* an absolute path without `..` */
convert convert_milliseconds; /* of a processor, in each second: percent; 0: UNLIMITED */

/* --- values ------------------------------------------------------------------------------- */

/* A truth value of systemd or nsjail. False when it is none. */
bool value_truth(struct span value, bool *truth);

/* A number with K, M, G or T after it, also KB, KiB. False when it is none or too large. */
bool value_size(struct span value, uint64_t *bytes);

/* A time span in seconds, rounded up; a number without a unit is seconds. */
bool value_time(struct span value, uint64_t *seconds);

#endif
