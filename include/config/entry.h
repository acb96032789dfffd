/* An entry as libconfuse has parsed it: the attributes, their values and their lines.
 * Values are words here; attributes.h gives them meaning. */
#ifndef USHERD_CONFIG_ENTRY_H
#define USHERD_CONFIG_ENTRY_H

#include "base/arena.h"
#include "config/syntax.h"
#include "config/word.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

enum assign_operator { ASSIGN_SET, ASSIGN_ADD, ASSIGN_REMOVE };

/* One line of an entry. */
struct assignment {
	enum assign_operator sign;
	const char *file;
	int line;
	struct assignment *next; /* of the same attribute, in the order written */
	size_t count;
	const struct word *words[];
};

struct entry {
	enum entry_kind kind;
	char *name;
	const char *file;
	int line;
	bool broken;        /* has a reported error: not used */
	bool disabled;      /* has `disable = yes` */
	struct arena words; /* has the assignments too */
	STAILQ_ENTRY(entry) link;
	struct assignment **assigned; /* the first line of each attribute that has lines */
	unsigned char places[];       /* by attribute: its place in assigned, from 1; 0: none.
				       * The name follows */
};

/* The first line of an attribute; NULL: it has none. */
static inline struct assignment *entry_lines(const struct entry *entry, size_t attribute)
{
	unsigned place = entry->places[attribute];

	return place > 0 ? entry->assigned[place - 1] : NULL;
}

STAILQ_HEAD(entry_queue, entry);

/* Parses raw, of `file` (borrowed for good), and reports every wrong line. Returns
 * the entry, broken or not, or NULL, reported, when memory runs out. */
struct entry *entry_parse(const struct raw_entry *raw, const char *file, struct problems *problems);

/* Puts a line, whose memory is the entry's, before the others of the attribute. False when
 * memory runs out. */
bool entry_put_first(struct entry *entry, size_t attribute, struct assignment *line)
	__attribute__((warn_unused_result));

void entry_free(struct entry *entry);

/* "=", "+=" or "-=". */
const char *assign_operator_text(enum assign_operator sign);

#endif
